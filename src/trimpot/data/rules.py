"""What a reader accepts and how it takes stress: the choices a user may change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from trimpot.errors import InputError
from trimpot.units import (
    BOHR_A,
    GPA_PER_EV_PER_A3,
    HARTREE_EV,
    KBAR_PER_EV_PER_A3,
    KCAL_MOL_EV,
    KJ_MOL_EV,
    RYDBERG_EV,
)

StressUnit = Literal["eV/A^3", "GPa", "kbar"]
EnergyUnit = Literal["eV", "meV", "Ha", "Ry", "kcal/mol", "kJ/mol"]
ForceUnit = Literal[
    "eV/A", "meV/A", "Ha/bohr", "Ry/bohr", "Ha/A", "kcal/mol/A", "kJ/mol/A", "kJ/mol/nm"
]
LengthUnit = Literal["A", "bohr", "nm"]
VoigtOrder = Literal["yz xz xy", "xy yz xz", "xy xz yz"]

STRESS_FACTORS: dict[str, float] = {
    "eV/A^3": 1.0,
    "GPa": 1.0 / GPA_PER_EV_PER_A3,
    "kbar": 1.0 / KBAR_PER_EV_PER_A3,
}
"""eV/A^3 per unit."""

ENERGY_FACTORS: dict[str, float] = {
    "eV": 1.0,
    "meV": 1e-3,
    "Ha": HARTREE_EV,
    "Ry": RYDBERG_EV,
    "kcal/mol": KCAL_MOL_EV,
    "kJ/mol": KJ_MOL_EV,
}
"""eV per unit."""

FORCE_FACTORS: dict[str, float] = {
    "eV/A": 1.0,
    "meV/A": 1e-3,
    "Ha/bohr": HARTREE_EV / BOHR_A,
    "Ry/bohr": RYDBERG_EV / BOHR_A,
    "Ha/A": HARTREE_EV,
    "kcal/mol/A": KCAL_MOL_EV,
    "kJ/mol/A": KJ_MOL_EV,
    "kJ/mol/nm": 0.1 * KJ_MOL_EV,
}
"""eV/A per unit."""

LENGTH_FACTORS: dict[str, float] = {"A": 1.0, "bohr": BOHR_A, "nm": 10.0}
"""angstrom per unit."""

VOIGT_ORDERS: dict[str, tuple[int, int, int]] = {
    "yz xz xy": (3, 4, 5),
    "xy yz xz": (4, 5, 3),
    "xy xz yz": (5, 4, 3),
}
"""Where yz, xz and xy stand among six components."""


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
    voigt_order : {"yz xz xy", "xy yz xz", "xy xz yz"}
        Order of the last three of six components of a stress or virial.
    virial_sign : {"-stress", "+stress"}
        Whether a virial is -V or +V times the stress (tension positive).
    energy_unit : {"eV", "meV", "Ha", "Ry", "kcal/mol", "kJ/mol"}
        Unit of energies and virials.
    energy_kind : {"total", "per_atom"}
        Whether energies are those of whole frames or divided by the number of atoms.
    force_unit : str
        Unit of forces: eV/A, meV/A, Ha/bohr, Ry/bohr, Ha/A, kcal/mol/A, kJ/mol/A or
        kJ/mol/nm.
    force_sign : {"force", "gradient"}
        Whether forces are -dE/dx, or +dE/dx as some codes print.
    length_unit : {"A", "bohr", "nm"}
        Unit of positions and cells.
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
    voigt_order: VoigtOrder = "yz xz xy"
    virial_sign: Literal["-stress", "+stress"] = "-stress"
    energy_unit: EnergyUnit = "eV"
    energy_kind: Literal["total", "per_atom"] = "total"
    force_unit: ForceUnit = "eV/A"
    force_sign: Literal["force", "gradient"] = "force"
    length_unit: LengthUnit = "A"
    left_handed: Literal["error", "swap"] = "error"
    min_distance: float = 0.1
    max_force: float = 1000.0
    require_labels: bool = True
    type_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, allowed in (
            ("stress_unit", (None, *STRESS_FACTORS)),
            ("stress_sign", ("tension", "compression")),
            ("voigt_order", tuple(VOIGT_ORDERS)),
            ("virial_sign", ("-stress", "+stress")),
            ("energy_unit", tuple(ENERGY_FACTORS)),
            ("energy_kind", ("total", "per_atom")),
            ("force_unit", tuple(FORCE_FACTORS)),
            ("force_sign", ("force", "gradient")),
            ("length_unit", tuple(LENGTH_FACTORS)),
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

    @property
    def virial_factor(self) -> float:
        """Factor from the file's virial to -V stress in eV."""
        sign = 1.0 if self.virial_sign == "-stress" else -1.0
        return sign * ENERGY_FACTORS[self.energy_unit]

    @property
    def force_factor(self) -> float:
        """Factor from the file's forces to eV/A along -dE/dx."""
        sign = 1.0 if self.force_sign == "force" else -1.0
        return sign * FORCE_FACTORS[self.force_unit]

    @property
    def length_factor(self) -> float:
        """Factor from the file's positions and cells to angstrom."""
        return LENGTH_FACTORS[self.length_unit]

    def energy_factor(self, n_atoms: int) -> float:
        """Return the factor from the file's energy to the total energy in eV."""
        factor = ENERGY_FACTORS[self.energy_unit]
        return factor * n_atoms if self.energy_kind == "per_atom" else factor

    def of_code_output(self) -> ReadRules:
        """Return the rules with units and signs as readers of code outputs give them."""
        return replace(
            ReadRules(),
            stress_unit=self.stress_unit,
            left_handed=self.left_handed,
            min_distance=self.min_distance,
            max_force=self.max_force,
            require_labels=self.require_labels,
            type_names=self.type_names,
        )
