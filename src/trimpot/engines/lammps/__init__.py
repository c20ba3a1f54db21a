"""LAMMPS as an engine: its plugin with our kernels, runs of ``lmp``, dynamics there."""
