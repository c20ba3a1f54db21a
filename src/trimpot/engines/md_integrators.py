"""The integrator of every ensemble, behind one interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from ase import units
from ase.constraints import FixCom
from ase.md.langevin import Langevin
from ase.md.verlet import VelocityVerlet

from trimpot.engines.md_nose_hoover import NoseHooverBarostat, NoseHooverThermostat
from trimpot.units import GPA_PER_EV_PER_A3

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ase import Atoms

    from trimpot.contract import FloatArray
    from trimpot.engines.md_settings import MdSettings


class Integrator(Protocol):
    """Moves atoms by steps, and can go on from a state.

    Attributes
    ----------
    needs_stress : bool
        Whether every step asks for the stress.
    """

    needs_stress: bool

    def step(self) -> None:
        """Take a step."""
        ...

    def set_targets(self, kt: float, pressure: float) -> None:
        """Hold another kT (eV) and pressure (eV/A^3) from now on."""
        ...

    def extended_energy(self) -> float | None:
        """Return the energy in eV of what is not atoms; None if nothing is conserved."""
        ...

    def state(self) -> dict[str, object]:
        """Return what is needed to go on, besides the atoms."""
        ...

    def restore(self, state: Mapping[str, Mapping[str, object]]) -> None:
        """Go on from a state."""
        ...


def integrator_of(atoms: Atoms, settings: MdSettings) -> Integrator:
    """Return the integrator of an ensemble; atoms have momenta and a calculator."""
    timestep = settings.timestep_fs * units.fs
    if settings.ensemble == "nve":
        return ConstantEnergy(VelocityVerlet(atoms, timestep=timestep))
    if settings.ensemble == "langevin":
        return _langevin(atoms, settings)
    kt, pressure = targets(settings, 0)
    thermostat_time = settings.thermostat_time_fs * units.fs
    if settings.ensemble == "nvt":
        return NoseHooverThermostat(atoms, timestep, kt=kt, thermostat_time=thermostat_time)
    return NoseHooverBarostat(
        atoms,
        timestep,
        kt=kt,
        thermostat_time=thermostat_time,
        pressure=pressure,
        barostat_time=settings.barostat_time_fs * units.fs,
        shape=settings.ensemble == "npt-full",
    )


def targets(settings: MdSettings, step: int) -> tuple[float, float]:
    """Return kT in eV and pressure in eV/A^3 of a step; 0 where there is none."""
    temperature, pressure = settings.temperature_at(step), settings.pressure_at(step)
    return (temperature or 0.0) * units.kB, (pressure or 0.0) / GPA_PER_EV_PER_A3


class ConstantEnergy:
    """ASE's velocity Verlet."""

    needs_stress = False

    def __init__(self, verlet: VelocityVerlet) -> None:
        self.verlet = verlet

    def step(self) -> None:
        """Take a step."""
        self.verlet.step()  # type: ignore[no-untyped-call]

    def set_targets(self, kt: float, pressure: float) -> None:
        """Ignore: nothing is held."""

    def extended_energy(self) -> float:
        """Return 0: there are only atoms."""
        return 0.0

    def state(self) -> dict[str, object]:
        """Return nothing: positions and momenta are all there is."""
        return {}

    def restore(self, state: Mapping[str, Mapping[str, object]]) -> None:
        """Do nothing."""


class LangevinThermostat:
    """ASE's Langevin integrator and its random numbers."""

    needs_stress = False

    def __init__(self, langevin: Langevin, noise: np.random.Generator) -> None:
        self.langevin = langevin
        self.noise = noise

    def step(self) -> None:
        """Take a step."""
        self.langevin.step()  # type: ignore[no-untyped-call]

    def set_targets(self, kt: float, pressure: float) -> None:  # noqa: ARG002
        """Hold another temperature (kT in eV) from now on."""
        self.langevin.set_temperature(temperature_K=kt / units.kB)  # type: ignore[no-untyped-call]

    def extended_energy(self) -> None:
        """Return None: noise and friction are not counted."""

    def state(self) -> dict[str, object]:
        """Return the state of the random numbers; large whole numbers as text."""
        state = self.noise.bit_generator.state
        return {
            "noise": {
                "kind": state["bit_generator"],
                "state": str(state["state"]["state"]),
                "inc": str(state["state"]["inc"]),
                "has_uint32": state["has_uint32"],
                "uinteger": state["uinteger"],
            }
        }

    def restore(self, state: Mapping[str, Mapping[str, object]]) -> None:
        """Go on from a state."""
        noise = state["noise"]
        self.noise.bit_generator.state = {
            "bit_generator": noise["kind"],
            "state": {"state": int(str(noise["state"])), "inc": int(str(noise["inc"]))},
            "has_uint32": noise["has_uint32"],
            "uinteger": noise["uinteger"],
        }


class RestingCentre(FixCom):
    """ASE's fixed centre of mass, with the same bits for any number of threads."""

    def adjust_positions(self, atoms: Atoms, new: FloatArray) -> None:
        """Move new positions so that the centre of mass stays."""
        masses = atoms.get_masses()
        moved = (masses[:, None] * (new - atoms.positions)).sum(axis=0)
        new -= moved / masses.sum()


def _langevin(atoms: Atoms, settings: MdSettings) -> LangevinThermostat:
    # Noise would move the centre of mass; held, 3N - 3 degrees of freedom are thermal.
    atoms.set_constraint(RestingCentre())  # type: ignore[no-untyped-call]
    # Another stream than that of the velocities, which took the seed itself.
    noise = np.random.default_rng([settings.seed, 1])
    langevin = Langevin(
        atoms,
        timestep=settings.timestep_fs * units.fs,
        temperature_K=settings.temperature_at(0),
        friction=settings.friction_per_ps / (1000.0 * units.fs),
        fixcm=False,
        rng=noise,
    )
    return LangevinThermostat(langevin, noise)
