"""Make tests/*.py and examples/*.py importable, whatever the working directory."""

import sys
from pathlib import Path

TESTS = Path(__file__).parent

for folder in (TESTS, TESTS.parent / "examples"):
    sys.path.insert(0, str(folder))
