"""What a reader accepts and how it takes stress: the choices a user may change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from trimpot.errors import InputError
from trimpot.units import GPA_PER_EV_PER_A3, KBAR_PER_EV_PER_A3

StressUnit = Literal["eV/A^3", "GPa", "kbar"]

STRESS_FACTORS: dict[str, float] = {
    "eV/A^3": 1.0,
    "GPa": 1.0 / GPA_PER_EV_PER_A3,
    "kbar": 1.0 / KBAR_PER_EV_PER_A3,
}
"""eV/A^3 per unit."""


@dataclass(frozen=True)
class ReadRules:
    """Rules for reading; the defaults refuse whatever is probably a mistake.

    Attributes
    ----------
    stress_unit : {"eV/A^3", "GPa", "kbar"} or None
        Unit of stress keys. None takes eV/A^3 and refuses data in which most stresses
        are too large for it; naming the unit switches that test off. Virials are in eV.
    stress_sign : {"tension", "compression"}
        What a positive stress means; VASP prints compression positive.
    left_handed : {"error", "swap"}
        ``swap`` exchanges the second and third lattice vector, which changes neither
        lattice nor atoms.
    min_distance : float
        Two atoms (or images) closer than this are an error, in angstrom.
    max_force : float
        A larger force is an error, in eV/A.
    require_labels : bool
        Whether a file without energies and forces is an error.
    type_names : tuple of str
        Elements of LAMMPS types 1, 2, ... where a dump or data file names none.

    Raises
    ------
    InputError
        If a value is not one of those listed or not positive.
    """

    stress_unit: StressUnit | None = None
    stress_sign: Literal["tension", "compression"] = "tension"
    left_handed: Literal["error", "swap"] = "error"
    min_distance: float = 0.1
    max_force: float = 1000.0
    require_labels: bool = True
    type_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, allowed in (
            ("stress_unit", (None, *STRESS_FACTORS)),
            ("stress_sign", ("tension", "compression")),
            ("left_handed", ("error", "swap")),
        ):
            if getattr(self, name) not in allowed:
                raise InputError(
                    f"{name} = {getattr(self, name)!r}, expected one of "
                    f"{', '.join(str(item) for item in allowed)}"
                )
        if not (self.min_distance >= 0.0 and self.max_force > 0.0):
            raise InputError(
                f"min_distance = {self.min_distance} and max_force = {self.max_force}, "
                "expected a distance of at least 0 A and a positive force"
            )

    @property
    def stress_factor(self) -> float:
        """Factor from the file's stress to eV/A^3, tension positive."""
        sign = 1.0 if self.stress_sign == "tension" else -1.0
        return sign * STRESS_FACTORS[self.stress_unit or "eV/A^3"]
