"""Data with planted faults, each with the finding that must name it."""
