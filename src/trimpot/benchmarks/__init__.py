"""What a potential costs: us/atom/step and memory, beside pair styles of LAMMPS."""

from trimpot.benchmarks.cases import Case, measure_case
from trimpot.benchmarks.running import RunSettings
from trimpot.benchmarks.states import State

__all__ = ["Case", "RunSettings", "State", "measure_case"]
