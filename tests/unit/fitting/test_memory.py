"""The forecast of memory beside what a fit allocates."""

import tracemalloc

import numpy as np
import pytest

from fitting_samples import SPECIES, labelled_frames
from spline_samples import profile_of
from trimpot.fitting import FitSettings, Model, fit, forecast, make_targets
from trimpot.splines.triplet_settings import TripletSettings


@pytest.mark.parametrize("n_frames", [10, 60])
def test_the_forecast_is_what_a_fit_allocates(monkeypatch, n_frames):
    """Within 20 %, and whatever the number of frames."""
    monkeypatch.setattr("trimpot.fitting.streaming.BATCH_BYTES", 2**20)
    settings = TripletSettings(cutoff=4.0, intervals=9, intervals_jk=16, tie="all")
    term = settings.build(SPECIES, profile_of(SPECIES, 1.9))
    model = Model(SPECIES, (term,), np.zeros(2), refine_e0s=False)
    frames = labelled_frames(n_frames)
    choice = FitSettings(
        kappa=(0.5, 0.8), ridge=(1e-6,), curvature=(1e-6, 1e-4), anchors=False
    )
    targets = make_targets(frames, SPECIES, (), choice)
    expected = forecast(term.n_coefficients, targets, choice.folds).bytes
    tracemalloc.start()
    try:
        fit(model, frames, choice, threads=2)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 0.8 * expected < peak < 1.2 * expected
