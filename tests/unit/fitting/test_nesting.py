"""Growing sets of frames give the Gram blocks that each set gives by itself."""

from dataclasses import replace

import numpy as np
import pytest

from fitting_samples import labelled_frames, model_of
from trimpot.data.nesting import nested_order
from trimpot.fitting import FitSettings, gather, make_targets, refit
from trimpot.fitting.nesting import GrowingFit

SETTINGS = FitSettings(folds=3, kappa=(0.5,), ridge=(1e-9,), curvature=(1e-6,))


@pytest.fixture(scope="module")
def frames():
    found = labelled_frames(14)
    # some labels are missing: the first quantities of a set may come late
    return [replace(f, stress=None) if k < 9 else f for k, f in enumerate(found)]


def growing(frames):
    model = model_of()
    targets = make_targets(frames, model.species, model.fixed, SETTINGS, threads=1)
    return GrowingFit(model, frames, targets, SETTINGS, 1)


def test_every_size_has_the_sums_scales_and_anchors_of_its_frames(frames):
    fit = growing(frames)
    order = nested_order(frames, 0)
    sizes = [4, 5, 9, 14]
    for size, blocks in fit.blocks(order, sizes):
        part = [frames[i] for i in sorted(order[:size])]
        alone = gather(fit.model, part, SETTINGS, threads=1)
        assert blocks.quantities == alone.quantities
        total, expected = blocks.total(), alone.total()
        for quantity in alone.quantities:
            lower = np.tril(expected[quantity].gram)
            scale = np.abs(lower).max()
            np.testing.assert_allclose(
                np.tril(total[quantity].gram), lower, atol=1e-12 * scale
            )
            moment = expected[quantity].moment
            np.testing.assert_allclose(
                total[quantity].moment, moment, atol=1e-12 * np.abs(moment).max()
            )
            assert total[quantity].square == pytest.approx(expected[quantity].square)
            assert total[quantity].weight == expected[quantity].weight
            assert blocks.scales[quantity] == pytest.approx(alone.scales[quantity])
        np.testing.assert_allclose(blocks.coverage, alone.coverage, atol=1e-12)
        np.testing.assert_allclose(blocks.anchors.rows, alone.anchors.rows, atol=1e-12)


def test_the_folds_of_all_frames_are_those_of_a_fit(frames):
    fit = growing(frames)
    ((_, blocks),) = fit.blocks(nested_order(frames, 5), [len(frames)])
    alone = gather(fit.model, frames, SETTINGS, threads=1)
    assert len(blocks.folds) == len(alone.folds)
    for mine, theirs in zip(blocks.folds, alone.folds, strict=True):
        for quantity in theirs:
            assert mine[quantity].weight == theirs[quantity].weight
            assert mine[quantity].square == pytest.approx(theirs[quantity].square)
    grown = refit(fit.model, blocks, SETTINGS, threads=1)
    usual = refit(fit.model, alone, SETTINGS, threads=1)
    assert grown.chosen.rmse == pytest.approx(usual.chosen.rmse, rel=1e-6)


def test_a_size_may_be_left_out(frames):
    fit = growing(frames)
    order = nested_order(frames, 0)
    *_, (_, stepwise) = fit.blocks(order, [4, 9, 14])
    ((_, at_once),) = fit.blocks(order, [14])
    for q, block in at_once.total().items():
        assert stepwise.total()[q].square == pytest.approx(block.square)
        assert stepwise.total()[q].weight == block.weight
