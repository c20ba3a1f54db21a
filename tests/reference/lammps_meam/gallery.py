"""Many pairs with screening atoms in one box, too far apart to see each other.

The box is made of cubes of SPACING, and its edge is a power of two: LAMMPS divides by it
and multiplies again, and coordinates stay what they were to the last bit.
"""

from dataclasses import dataclass

import numpy as np
from ase import Atoms

SPACING = 16.0
LENGTH = 4.0


@dataclass(frozen=True)
class Scene:
    """A pair of silicon of this length along x (or ``axis``) and what stands beside it.

    ``others``: (species, t, h) of screening atoms at t of the way, h ``aside``, in lengths
    of the pair. ``weight``: S that is known exactly, or None.
    """

    others: tuple = ()
    weight: float | None = None
    length: float = LENGTH
    axis: tuple = (1.0, 0.0, 0.0)
    aside: tuple = (0.0, 1.0, 0.0)

    @property
    def numbers(self):
        return [14, 14, *(z for z, _, _ in self.others)]

    @property
    def positions(self):
        along, aside = self.length * np.array(self.axis), self.length * np.array(self.aside)
        return np.array(
            [0.0 * along, along, *(t * along + h * aside for _, t, h in self.others)]
        )


def hang(scenes):
    """One structure with all scenes, and where each begins (and the last ends)."""
    side = 2
    while side**3 < len(scenes):
        side *= 2
    cubes = np.array(list(np.ndindex(side, side, side)))[: len(scenes)]
    placed = [
        cube * SPACING + SPACING / 2.0 + s.positions
        for cube, s in zip(cubes, scenes, strict=True)
    ]
    first = np.cumsum([0, *(len(s.numbers) for s in scenes)])
    numbers = [z for s in scenes for z in s.numbers]
    cell = np.full(3, side * SPACING)
    return Atoms(numbers, np.concatenate(placed), cell=cell, pbc=False), first


def random_scenes(count, species, *, shortest=1.0, seed=0):
    """Pairs of any length, one to three atoms beside them, none too close to another."""
    rng, found = np.random.default_rng(seed), []
    while len(found) < count:
        n = int(rng.integers(1, 4))
        others = zip(
            rng.choice(species, n).tolist(),
            rng.uniform(-0.3, 1.3, n),
            rng.uniform(-1.0, 1.0, n),
            strict=True,
        )
        scene = Scene(tuple(others), length=float(rng.uniform(2.2, 4.9)))
        apart = scene.positions[:, None] - scene.positions[None]
        r = np.linalg.norm(apart, axis=-1)[np.triu_indices(n + 2, 1)]
        if r.min() > shortest:
            found.append(scene)
    return found


def _both_ends(others, weight):
    """A scene and its mirror image."""
    return Scene(others, weight), Scene(
        tuple((z, 1.0 - t, h) for z, t, h in others), weight
    )


GE, W = 32, 74
GE_LIMITS, W_LIMITS = (0.5625, 1.5625), (0.0, 2.8)
"""At t = 1/2 germanium has them at h = 3/8 and 5/8, exactly."""

NEAR = 2.0**-20
MIDDLE = (1.0 - 0.5625**4) ** 2
"""S of germanium with C = 1."""

AT_ENDS = {
    "just beside the pair": _both_ends(((GE, -(2.0**-30), NEAR),), 1.0),
    "level with an end": _both_ends(((GE, 0.0, 2.0**-5),), 1.0),
    "just between, close to the line": _both_ends(((GE, NEAR, 2.0**-12),), 0.0),
    "just between, far from the line": _both_ends(((GE, NEAR, 2.0**-8),), 1.0),
    "just between, in part": _both_ends(((GE, 2.0**-10, 2.0**-5),), None),
    "on the line, beside the pair": _both_ends(((GE, -0.1875, 0.0),), 1.0),
}
SCENES = {
    "alone": Scene((), 1.0),
    "on the line": Scene(((GE, 0.5, 0.0),), 0.0),
    "on the line, C_min 0": Scene(((W, 0.25, 0.0),), 0.0),
    "1e-9 off the line, C_min 0": Scene(((W, 0.3, 1e-9),), 0.0),
    "equilateral": Scene(((W, 0.5, np.sqrt(0.75)),), 1.0),
    "on the sphere": Scene(((GE, 0.5, 0.5),), MIDDLE),
    "C = C_min": Scene(((GE, 0.5, 0.375),), 0.0),
    "C = C_max": Scene(((GE, 0.5, 0.625),), 1.0),
    "just above C_min": Scene(((GE, 0.5, 0.375 + NEAR),)),
    "just below C_max": Scene(((GE, 0.5, 0.625 - NEAR),)),
    "farther than the other end": Scene(((W, 0.8125, 0.625),)),
    "farther than the bound": Scene(((W, 0.8125, 0.75),), 1.0),
    "farther than the cutoff": Scene(((W, 0.8125, 0.625),), length=4.90625),
    "a pair beyond the cutoff": Scene(((GE, 0.5, 0.5),), 0.0, length=5.25),
    "two": Scene(((GE, 0.5, 0.5), (GE, 0.5, -0.5)), MIDDLE**2),
    "two species": Scene(((GE, 0.5, 0.5), (W, 0.375, -0.625))),
    "three": Scene(((GE, 0.25, 0.5), (W, 0.625, -0.625), (W, 0.5, 0.75))),
    "two, of which one in full": Scene(((W, 0.375, -0.625), (GE, 0.5, 0.25)), 0.0),
    "two, of which one at C_max": Scene(((GE, 0.5, 0.5), (GE, 0.5, -0.625)), MIDDLE),
    **{f"{name}, {'ij'[m]}": two[m] for name, two in AT_ENDS.items() for m in (0, 1)},
    **{
        f"on a slanted line, {t:.3f}": Scene(((W, t, 0.0),), 0.0, axis=(0.3, 0.57, -0.48))
        for t in np.linspace(0.06, 0.94, 12)
    },
}
