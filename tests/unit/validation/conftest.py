"""Make tests/toy_potentials.py importable; use it while the native list is not built."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import toy_potentials
import trimpot.neighbors

if not hasattr(trimpot.neighbors, "neighborhood"):
    trimpot.neighbors.neighborhood = toy_potentials.brute_force
    trimpot.neighbors.VerletList = toy_potentials.BruteForceVerlet
