"""Makes edge_samples.py importable from any working directory; torch is optional."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
