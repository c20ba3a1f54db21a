"""Gram blocks hold what the rows of the frames say: against explicit rows."""

from dataclasses import replace

import numpy as np
import pytest

from fitting_samples import SPECIES, free_terms, labelled_frames, weighted_rows
from trimpot.errors import DataError, FitError
from trimpot.fitting import FitSettings, QuantityWeights, make_targets
from trimpot.fitting.blocks import Blocks
from trimpot.fitting.inequalities import Inequalities
from trimpot.fitting.streaming import accumulate, forecast

QUANTITIES = ("energy", "forces", "stress")


def gathered(frames, settings, fold_of_frame=None, terms=None):
    targets = make_targets(frames, SPECIES, (), settings)
    folds = np.zeros(len(frames), dtype=int) if fold_of_frame is None else fold_of_frame
    return accumulate(terms or free_terms(), targets, np.asarray(folds), threads=2)


def symmetric(gram):
    return np.tril(gram) + np.tril(gram, -1).T


def assert_same(a, b, rtol=1e-11):
    scale = np.abs(np.tril(b.gram)).max()
    assert np.allclose(np.tril(a.gram), np.tril(b.gram), rtol=0, atol=rtol * scale)
    assert np.allclose(a.moment, b.moment, rtol=0, atol=rtol * np.abs(b.moment).max())
    assert a.square == pytest.approx(b.square, rel=rtol)
    assert a.weight == pytest.approx(b.weight, rel=rtol)


def test_blocks_equal_sums_over_explicit_rows():
    frames = labelled_frames(9)
    fold_of_frame = np.array([0, 1, 2] * 3)
    blocks = gathered(frames, FitSettings(), fold_of_frame)
    for fold, quantity in ((f, q) for f in range(3) for q in QUANTITIES):
        mine = [f for f, k in zip(frames, fold_of_frame, strict=True) if k == fold]
        rows, values = weighted_rows(free_terms(), mine, quantity)
        block = blocks.folds[fold][quantity]
        scale = np.abs(rows.T @ rows).max()
        assert np.allclose(symmetric(block.gram), rows.T @ rows, atol=1e-12 * scale)
        assert np.allclose(block.moment, rows.T @ values, rtol=1e-10, atol=1e-10 * scale)
        assert block.square == pytest.approx(values @ values)
        assert block.weight == len(values)
        c = np.random.default_rng(1).normal(size=rows.shape[1])
        assert block.squared_error(c) == pytest.approx(np.sum((rows @ c - values) ** 2))


def test_the_result_does_not_depend_on_the_batches(monkeypatch):
    frames = labelled_frames(9)
    whole = gathered(frames, FitSettings())
    monkeypatch.setattr("trimpot.fitting.streaming.BATCH_BYTES", 1)
    pieces = gathered(frames, FitSettings())
    for quantity in QUANTITIES:
        assert_same(pieces.folds[0][quantity], whole.folds[0][quantity])
    assert np.allclose(pieces.coverage, whole.coverage)


def test_scales_are_the_spread_of_the_targets():
    frames = labelled_frames(8)
    scales = gathered(frames, FitSettings()).scales
    forces = np.concatenate([f.forces.ravel() for f in frames])
    assert scales["forces"] == pytest.approx(np.sqrt(np.mean(forces**2)))
    stress = np.array([f.stress[np.triu_indices(3)] for f in frames])
    assert scales["stress"] == pytest.approx(np.sqrt(np.mean(stress**2)))
    fractions = np.array(
        [[np.mean(f.structure.numbers == z) for z in SPECIES] for f in frames]
    )
    energy = np.array([f.energy / len(f) for f in frames])
    rest = energy - fractions @ np.linalg.lstsq(fractions, energy, rcond=None)[0]
    assert scales["energy"] == pytest.approx(np.sqrt(np.mean(rest**2)))


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_a_weight_of_two_is_the_frame_twice(quantity):
    frames = [
        replace(f, config_type="rare" if k == 2 else "rest")
        for k, f in enumerate(labelled_frames(6))
    ]
    weights = {"rare": QuantityWeights(**{quantity: 2.0})}
    weighted = gathered(frames, FitSettings(weights=weights))
    twice = gathered([*frames, frames[2]], FitSettings())
    once = gathered(frames, FitSettings())
    for name in QUANTITIES:
        expected = twice if name == quantity else once
        assert_same(weighted.folds[0][name], expected.folds[0][name])


def test_frame_weights_come_from_an_info_field_and_multiply():
    frames = [
        replace(f, info={"w": 1.0 if k else 3.0}) for k, f in enumerate(labelled_frames(4))
    ]
    weighted = gathered(frames, FitSettings(weight_key="w"))
    repeated = gathered([*frames, frames[0], frames[0]], FitSettings())
    for quantity in QUANTITIES:
        assert_same(weighted.folds[0][quantity], repeated.folds[0][quantity])


@pytest.mark.parametrize("value", [-1.0, "much", None])
def test_a_frame_weight_that_is_not_a_weight_is_refused(value):
    info = {} if value is None else {"w": value}
    frames = [replace(f, info=info, source="x#0") for f in labelled_frames(2)]
    with pytest.raises(DataError, match=r"x#0.*'w' must hold a weight >= 0"):
        gathered(frames, FitSettings(weight_key="w"))


def test_weights_of_an_unknown_group_are_refused():
    settings = FitSettings(weights={"surfaces": QuantityWeights()})
    with pytest.raises(DataError, match="config_type surfaces"):
        gathered(labelled_frames(2), settings)


def test_frames_may_lack_any_label():
    frames = labelled_frames(6)
    partial = [
        replace(frames[0], forces=None),
        replace(frames[1], stress=None),
        replace(frames[2], energy=None),
        replace(frames[3], energy=None, stress=None),
        *frames[4:],
    ]
    blocks = gathered(partial, FitSettings())
    keep = {
        "energy": [f for f in partial if f.energy is not None],
        "forces": [f for f in partial if f.forces is not None],
        "stress": [f for f in partial if f.stress is not None],
    }
    for quantity, mine in keep.items():
        assert_same(
            blocks.folds[0][quantity], gathered(mine, FitSettings()).folds[0][quantity]
        )


def test_a_quantity_without_labels_has_no_block_and_none_at_all_is_an_error():
    frames = [replace(f, stress=None, energy=None) for f in labelled_frames(3)]
    assert gathered(frames, FitSettings()).quantities == ("forces",)
    bare = [replace(f, forces=None) for f in frames]
    with pytest.raises(FitError, match="nothing to fit"):
        gathered(bare, FitSettings())


def test_a_stress_weight_of_zero_leaves_the_stresses_out():
    blocks = gathered(labelled_frames(3), FitSettings(stress_weight=0.0))
    assert blocks.quantities == ("energy", "forces")


def test_coverage_counts_every_frame_whatever_its_labels_and_weights():
    frames = labelled_frames(5)
    full = gathered(frames, FitSettings())
    bare = [replace(f, energy=None) if k % 2 else f for k, f in enumerate(frames)]
    assert np.allclose(gathered(bare, FitSettings()).coverage, full.coverage)
    energy, _ = weighted_rows(free_terms(), frames, "energy")
    atoms = np.array([len(f) for f in frames])
    assert np.allclose(full.coverage, atoms @ energy)


def test_blocks_survive_storage():
    blocks = gathered(labelled_frames(6), FitSettings(), np.array([0, 1] * 3))
    some = Inequalities(np.arange(2.0 * blocks.n_columns).reshape(2, -1), np.ones(2))
    blocks = replace(blocks, anchors=some)
    again = Blocks.from_arrays({k: v.copy() for k, v in blocks.arrays().items()})
    assert again.scales == blocks.scales
    assert np.array_equal(again.coverage, blocks.coverage)
    assert len(again.folds) == 2
    assert np.array_equal(again.anchors.rows, some.rows)
    assert np.array_equal(again.anchors.bounds, some.bounds)
    for one, two in zip(again.folds, blocks.folds, strict=True):
        for quantity in QUANTITIES:
            assert_same(one[quantity], two[quantity], rtol=0.0)


def test_the_forecast_covers_the_blocks_and_grows_with_folds_and_columns():
    targets = make_targets(labelled_frames(4), SPECIES, (), FitSettings())
    n = 1000
    held = 5 * 3 * n**2 * 8
    assert forecast(n, targets, 5).bytes > held
    assert forecast(2 * n, targets, 5).bytes > 2 * forecast(n, targets, 5).bytes
    assert forecast(n, targets, 10).bytes > forecast(n, targets, 5).bytes
