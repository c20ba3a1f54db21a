"""Make tests/*.py and examples/*.py importable, whatever the working directory."""

import os
import sys
from pathlib import Path

TESTS = Path(__file__).parent

for folder in (TESTS, TESTS.parent / "examples"):
    sys.path.insert(0, str(folder))

# Waiting processes of Open MPI give their core to working ones: tests start many.
os.environ.setdefault("OMPI_MCA_mpi_yield_when_idle", "1")
