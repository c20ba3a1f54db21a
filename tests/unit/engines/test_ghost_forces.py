"""Forces on ghosts in native/api: sums over images, or gradients if pairs are shared."""

from __future__ import annotations

import ctypes
from ctypes import c_double, c_int, c_int64, c_void_p

import numpy as np
import pytest

from kim_host import Particles, particles
from kim_samples import tame_potential
from spline_samples import scattered
from trimpot.engines.singlepoint import evaluate
from trimpot.files import save
from trimpot.files.kim_model import library_path

SKIN = 0.6


def address(array):
    return c_void_p(array.ctypes.data)


class Domain:
    """A potential among particles, through the C interface."""

    def __init__(self, path, given, *, share, mixed=0):
        self.library = ctypes.CDLL(str(library_path()))
        self.library.trimpot_read.restype = c_void_p
        self.library.trimpot_domain_new.restype = c_void_p
        self.potential = c_void_p(self.library.trimpot_read(str(path).encode()))
        self.domain = c_void_p(
            self.library.trimpot_domain_new(self.potential, c_double(SKIN), mixed, 1)
        )
        self.library.trimpot_domain_share_pairs(self.domain, c_int(share))
        self.n_all = len(given.codes)
        self.n_local = int(given.contributing.sum())
        assert not self.library.trimpot_domain_build(
            self.domain,
            c_int64(self.n_local),
            c_int64(self.n_all),
            address(given.coordinates),
            address(given.codes),
        )

    def close(self):
        self.library.trimpot_domain_free(self.domain)
        self.library.trimpot_free(self.potential)

    def compute(self, coordinates, *, of_atoms=False):
        """Return energy and forces."""
        positions = np.ascontiguousarray(coordinates)
        energies, forces = np.zeros(self.n_local), np.zeros((self.n_all, 3))
        virials = np.zeros((self.n_all, 9))
        more = (address(virials), 0) if of_atoms else ()
        name = "trimpot_domain_evaluate" + ("_atoms" if of_atoms else "")
        code = getattr(self.library, name)(
            self.domain,
            address(positions),
            address(energies),
            address(forces),
            None,
            *more,
            None,
        )
        assert code == 0
        return energies.sum(), forces


def folded(given, forces):
    total = np.zeros((int(given.contributing.sum()), 3))
    np.add.at(total, given.owners, forces)
    return total


@pytest.fixture(params=[("pair", 1), ("zbl", 3), ("uf23", 1), ("sum", 3)], ids=str)
def case(request, tmp_path):
    potential = tame_potential(*request.param)
    save(potential, tmp_path / "x.trimpot")
    structure = scattered(potential.species)
    given = particles(structure, potential.species, potential.cutoff + 0.1)
    return tmp_path / "x.trimpot", evaluate(potential, structure).forces, given


@pytest.mark.parametrize("mixed", [0, 1])
@pytest.mark.parametrize("share", [0, 1])
def test_sums_over_images_are_the_same(case, share, mixed):
    path, expected, given = case
    domain = Domain(path, given, share=share, mixed=mixed)
    forces = domain.compute(given.coordinates)[1]
    domain.close()
    bound = 1e-4 * max(1.0, np.abs(expected).max() / 10.0) if mixed else 1e-9
    np.testing.assert_allclose(folded(given, forces), expected, atol=bound, rtol=0)


@pytest.mark.parametrize("of_atoms", [False, True])
def test_shared_forces_are_the_gradient(case, of_atoms):
    path, _, given = case
    domain = Domain(path, given, share=1)
    forces = domain.compute(given.coordinates, of_atoms=of_atoms)[1]
    rng = np.random.default_rng(1)
    h = 1e-4
    for _ in range(6):
        way = rng.normal(size=forces.shape)
        way /= np.linalg.norm(way, axis=1).max()
        four = [domain.compute(given.coordinates + k * h * way)[0] for k in (1, -1, 2, -2)]
        slope = (8.0 * (four[0] - four[1]) - (four[2] - four[3])) / (12.0 * h)
        assert -slope == pytest.approx((forces * way).sum(), abs=1e-5, rel=1e-7)
    domain.close()


def test_lists_of_shared_pairs_last_as_long_as_the_others(case):
    """Atoms drift apart through several lists, and virials of atoms come in between."""
    path, _, given = case
    rng = np.random.default_rng(2)
    domain = Domain(path, given, share=1)
    coordinates = given.coordinates.copy()
    for step in range(24):
        coordinates += rng.normal(0.0, 0.03, coordinates.shape)
        forces = domain.compute(coordinates, of_atoms=step % 5 == 2)[1]
        moved = Particles(coordinates, given.codes, given.contributing, given.owners)
        fresh = Domain(path, moved, share=1)
        np.testing.assert_allclose(
            forces, fresh.compute(coordinates)[1], atol=1e-9, rtol=1e-11
        )
        fresh.close()
    domain.close()
