"""Spline potentials: knots, terms, the safe core, the specification in NumPy."""
