"""A program that uses the C interface: one process, whose ghosts are its own images."""

import ctypes
from ctypes import CFUNCTYPE, POINTER, Structure, byref, c_char_p, c_double, c_int, c_int64
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from trimpot import _native


class Features(Structure):
    _fields_ = (("rows", ctypes.c_void_p), ("numbers", c_int64), ("bytes", c_int))

    def array(self, n):
        """Rows of n atoms."""
        kind = {4: ctypes.c_float, 8: c_double}[self.bytes]
        pointer = ctypes.cast(self.rows, POINTER(kind))
        return np.ctypeslib.as_array(pointer, (n, self.numbers))


CALLBACK = CFUNCTYPE(c_int, ctypes.c_void_p, POINTER(Features))


class Exchange(Structure):
    _fields_ = (("host", ctypes.c_void_p), ("spread", CALLBACK), ("gather", CALLBACK))


@cache
def library():
    found = ctypes.CDLL(str(Path(_native.__file__).parent / "libtrimpot.so"))
    for name, result in {
        "trimpot_error": c_char_p,
        "trimpot_read": ctypes.c_void_p,
        "trimpot_cutoff": c_double,
        "trimpot_influence_distance": c_double,
        "trimpot_domain_new": ctypes.c_void_p,
        "trimpot_domain_builds": c_int64,
        "trimpot_domain_exchanged_bytes": c_int64,
    }.items():
        getattr(found, name).restype = result
    return found


def complaint():
    return library().trimpot_error().decode()


def read(path):
    potential = library().trimpot_read(str(path).encode())
    if not potential:
        raise RuntimeError(complaint())
    return ctypes.c_void_p(potential)


def cutoff(path):
    return library().trimpot_cutoff(read(path))


def influence_distance(path):
    return library().trimpot_influence_distance(read(path))


@dataclass(frozen=True)
class Surroundings:
    """Atoms and their images: those within a distance of the box around the atoms."""

    shifts: np.ndarray  # (ghosts, 3), whole periods
    owners: np.ndarray  # (ghosts,)

    @classmethod
    def of(cls, structure, distance):
        x, cell = structure.positions, structure.cell
        most = [
            int(np.ceil(_width(structure, distance) / _height(cell, k))) if p else 0
            for k, p in enumerate(structure.pbc)
        ]
        ranges = np.meshgrid(*(np.arange(-m, m + 1) for m in most), indexing="ij")
        shifts = np.stack([r.ravel() for r in ranges], axis=1)
        shifts = shifts[np.any(shifts, axis=1)]
        images = x[None] + (shifts @ cell)[:, None]
        low, high = x.min(axis=0) - distance, x.max(axis=0) + distance
        which, owners = np.nonzero(((images >= low) & (images <= high)).all(axis=2))
        return cls(shifts[which], owners)

    def positions(self, structure):
        images = structure.positions[self.owners] + self.shifts @ structure.cell
        return np.concatenate([structure.positions, images])


def _width(structure, distance):
    return np.linalg.norm(np.ptp(structure.positions, axis=0)) + distance


def _height(cell, k):
    a, b = (cell[(k + m) % 3] for m in (1, 2))
    normal = np.cross(a, b)
    return abs(cell[k] @ normal) / np.linalg.norm(normal)


class Domain:
    """Atoms of one process; all ghosts are images of its own atoms."""

    def __init__(self, path, *, mixed=False, skin=0.4, threads=1):
        self.lib, self.skin, self.exchanges = library(), skin, 0
        self.potential = read(path)
        made = self.lib.trimpot_domain_new(
            self.potential, c_double(skin), int(mixed), threads
        )
        assert made, complaint()
        self.domain = ctypes.c_void_p(made)
        self._callbacks = Exchange(None, CALLBACK(self._spread), CALLBACK(self._gather))

    def exchanges_features(self):
        self.lib.trimpot_domain_set_exchange(self.domain, byref(self._callbacks))
        return self

    def has_wide_ghosts(self):
        self.lib.trimpot_domain_set_wide_ghosts(self.domain, 1)
        return self

    @property
    def builds(self):
        return self.lib.trimpot_domain_builds(self.domain)

    @property
    def exchanged_bytes(self):
        return self.lib.trimpot_domain_exchanged_bytes(self.domain)

    def build(self, structure, species, distance):
        """Ghosts lie within the distance, plus the skin."""
        self.around = Surroundings.of(structure, distance + self.skin)
        self.n = len(structure.numbers)
        kinds = np.searchsorted(species, structure.numbers).astype(np.int32)
        self.kinds = np.concatenate([kinds, kinds[self.around.owners]])
        x = self.around.positions(structure)
        failed = self.lib.trimpot_domain_build(
            self.domain, c_int64(self.n), c_int64(len(x)), _pointer(x), _pointer(self.kinds)
        )
        if failed:
            raise RuntimeError(complaint())
        return self

    def evaluate(self, structure):
        """Return energies, forces, virial and virials of atoms."""
        x = self.around.positions(structure)
        energies, forces, virial = np.zeros(self.n), np.zeros_like(x), np.zeros((3, 3))
        atoms = np.zeros((len(x), 3, 3))
        again = np.zeros_like(forces)
        out = _pointer(energies), _pointer(forces), _pointer(virial)
        of_atoms = None, _pointer(again), None, _pointer(atoms), 0
        for failed in (
            self.lib.trimpot_domain_evaluate(self.domain, _pointer(x), *out, None),
            self.lib.trimpot_domain_evaluate_atoms(
                self.domain, _pointer(x), *of_atoms, None
            ),
        ):
            if failed:
                raise RuntimeError(complaint())
        assert np.allclose(again, forces, rtol=0.0, atol=1e-9)
        return energies, self._folded(forces), virial, self._folded(atoms)

    def heat_flux_virials(self, structure):
        x = self.around.positions(structure)
        rows = [np.zeros(self.n), np.zeros_like(x), np.zeros(9), np.zeros((len(x), 9))]
        failed = self.lib.trimpot_domain_evaluate_atoms(
            self.domain, _pointer(x), *map(_pointer, rows), 1, None
        )
        if failed:
            raise RuntimeError(complaint())

    def _folded(self, rows):
        own = rows[: self.n].copy()
        np.add.at(own, self.around.owners, rows[self.n :])
        return own

    def _spread(self, _, features):
        rows = features.contents.array(len(self.kinds))
        assert rows[0].nbytes == self.exchanged_bytes
        rows[self.n :] = rows[self.around.owners]
        self.exchanges += 1
        return 0

    def _gather(self, _, features):
        rows = features.contents.array(len(self.kinds))
        rows[: self.n] = self._folded(rows)
        self.exchanges += 1
        return 0


def _pointer(array):
    return array.ctypes.data_as(ctypes.c_void_p)
