"""g(r) and displacements: known answers, bounded memory, states that go on."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from trimpot.engines import md_displacements, md_distances
from trimpot.engines.md_displacements import Snapshots
from trimpot.engines.md_distances import Distances


def counted(distances, pair, shell):
    """Return the neighbours per atom within a shell, from g(r)."""
    edges = np.linspace(0.0, md_distances.RANGE_A, md_distances.BINS + 1)
    shells = 4.0 / 3.0 * np.pi * np.diff(edges**3)
    inside = (distances.r_a > shell[0]) & (distances.r_a < shell[1])
    return float(np.sum(distances.g[pair] * shells * inside))


def test_a_crystal_smaller_than_the_range_has_its_coordination():
    atoms = bulk("NaCl", "rocksalt", a=5.6)
    found = Distances(atoms, 1)
    found.record(atoms)
    g = found.result(0)
    assert set(g.g) == {"Na-Na", "Na-Cl", "Cl-Cl"}
    density = 1.0 / atoms.get_volume()  # of each element
    assert counted(g, "Na-Cl", (2.0, 3.5)) * density == pytest.approx(6.0)
    assert counted(g, "Na-Na", (3.5, 4.5)) * density == pytest.approx(12.0)
    assert counted(g, "Na-Cl", (4.0, 5.2)) * density == pytest.approx(8.0)


def test_an_ideal_gas_of_two_elements_and_changing_volume_has_g_of_one():
    rng = np.random.default_rng(0)
    atoms = Atoms("Si60W30", rng.random((90, 3)), cell=[1.0] * 3, pbc=True)
    found = Distances(atoms, 10)
    for _ in range(40):
        edge = 11.0 + rng.random()
        frame = Atoms(atoms.numbers, rng.random((90, 3)) * edge, cell=[edge] * 3, pbc=True)
        found.record(frame)
    g = found.result(0)
    assert g.frames == 40
    for pair in ("Si-Si", "Si-W", "W-W"):
        far = g.r_a > 4.0
        expected = {"Si-Si": 59 / 60, "Si-W": 1.0, "W-W": 29 / 30}[pair]
        mean = np.average(g.g[pair][far], weights=g.r_a[far] ** 2)
        assert mean == pytest.approx(expected, rel=0.02)
        off = (g.g[pair][far] - expected) / g.error[pair][far]
        assert 0.7 < off.std() < 1.4


def test_blocks_bound_memory_and_leave_the_equilibration_out(monkeypatch):
    monkeypatch.setattr(md_distances, "MOST_BLOCKS", 4)
    near, far = (bulk("W", "bcc", a=a, cubic=True) for a in (3.0, 3.4))
    found = Distances(near, 5)
    for frame in range(12):
        found.record(near if frame < 6 else far)
    assert found.state()["blocks"].shape[0] <= 4
    assert found.state()["size"] == 4
    later = found.result(8 * 5)
    only = Distances(near, 5)
    only.record(far)
    np.testing.assert_allclose(later.g["W-W"], only.result(0).g["W-W"], rtol=1e-12)
    assert later.frames == 4
    assert found.result(0).frames == 12


@pytest.mark.parametrize("stop", [3, 8])
def test_a_state_goes_on(monkeypatch, stop):
    monkeypatch.setattr(md_distances, "MOST_BLOCKS", 4)
    monkeypatch.setattr(md_displacements, "FEWEST", 4)
    monkeypatch.setattr(md_displacements, "MOST", 4)
    rng = np.random.default_rng(2)
    frames = [bulk("W", "bcc", a=3.1, cubic=True) for _ in range(14)]
    for frame in frames:
        frame.positions += rng.normal(size=(2, 3))

    def made():
        moved = Snapshots(frames[0], 5, timestep_fs=1.0, changing_cell=True)
        return Distances(frames[0], 5), moved

    whole, parts, rest = made(), made(), made()
    for frame in frames:
        for recorder in whole:
            recorder.record(frame)
    for recorder, after in zip(parts, rest, strict=True):
        for frame in frames[:stop]:
            recorder.record(frame)
        after.restore(recorder.state())
        for frame in frames[stop:]:
            after.record(frame)
    np.testing.assert_array_equal(rest[0].result(0).g["W-W"], whole[0].result(0).g["W-W"])
    np.testing.assert_array_equal(
        rest[1].result(0).msd_a2["W"], whole[1].result(0).msd_a2["W"]
    )


def walk(steps, n=400, rate=0.3, seed=1):
    """Yield atoms of two elements of which one walks, D = rate^2/2 A^2 per step."""
    rng = np.random.default_rng(seed)
    atoms = Atoms(f"Si{n}W{n}", rng.random((2 * n, 3)) * 10.0, cell=[10.0] * 3, pbc=True)
    for _ in range(steps):
        yield atoms
        atoms.positions[:n] += rate * rng.normal(size=(n, 3))


def test_a_walk_has_its_diffusion_coefficient_and_a_crystal_none():
    moved = None
    for atoms in walk(200):
        if moved is None:
            moved = Snapshots(atoms, 10, timestep_fs=2.0, changing_cell=False)
        moved.record(atoms)
    found = moved.result(0)
    assert len(found.lag_fs) <= md_displacements.MOST
    expected = 0.5 * 0.3**2 / 0.02  # A^2/ps, 20 fs per step of the walk
    silicon = found.diffusion["Si"]
    assert 0.0 < silicon.error < 0.1 * expected
    assert silicon.coefficient == pytest.approx(expected, abs=4.0 * silicon.error)
    assert found.diffusion["W"].coefficient == 0.0
    assert found.msd_a2["W"].max() == 0.0
    lag = found.lag_fs[3] / 20.0
    assert found.msd_a2["Si"][3] == pytest.approx(3.0 * 0.3**2 * lag, rel=0.05)


def test_what_a_barostat_stretches_is_no_displacement():
    atoms = bulk("W", "bcc", a=3.1, cubic=True) * (3, 3, 3)
    atoms.positions += [100.0, 0.0, -50.0]  # far from the origin that cells scale about
    moved = Snapshots(atoms, 1, timestep_fs=1.0, changing_cell=True)
    rng = np.random.default_rng(0)
    for _ in range(20):
        strain = np.eye(3) + 0.02 * rng.normal(size=(3, 3))
        frame = atoms.copy()
        frame.set_cell(atoms.cell.array @ strain, scale_atoms=True)
        frame.positions[0] += 0.25
        moved.record(atoms)
        moved.record(frame)
    found = moved.result(0).msd_a2["W"]
    assert found[2] == pytest.approx(0.0, abs=1e-3)
    assert found[1] == pytest.approx(3.0 * 0.25**2 / 54, rel=0.1)


def test_of_many_atoms_some_of_every_element_are_followed(monkeypatch):
    monkeypatch.setattr(md_displacements, "MOST_ATOMS", 20)
    numbers = np.array([14] * 3 + [74] * 95 + [14] * 2)
    chosen = md_displacements.followed(numbers)
    assert (numbers[chosen] == 14).sum() == 5
    assert (numbers[chosen] == 74).sum() == 10
    assert (np.diff(chosen) > 0).all()


def test_many_pairs_are_counted_piece_by_piece(monkeypatch):
    atoms = bulk("NaCl", "rocksalt", a=5.6, cubic=True) * (2, 2, 2)
    whole, parts = Distances(atoms, 1), Distances(atoms, 1)
    whole.record(atoms)
    monkeypatch.setattr(md_distances, "PAIRS_AT_ONCE", 1000)
    parts.record(atoms)
    for pair in whole.result(0).g:
        np.testing.assert_array_equal(parts.result(0).g[pair], whole.result(0).g[pair])


def test_a_single_look_is_no_displacement():
    atoms = bulk("W", "bcc", a=3.1, cubic=True)
    moved = Snapshots(atoms, 1, timestep_fs=1.0, changing_cell=False)
    moved.record(atoms)
    assert moved.result(0) is None
