"""A small potential that was fitted to Morse labels, with its trust."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fitting_samples import SPECIES, labelled_frames
from spline_samples import profile_of
from trimpot.fitting import FitSettings, Model, fit, folds_of, make_targets
from trimpot.splines.packing import pack
from trimpot.splines.pair_settings import PairSettings
from trimpot.splines.profile import pair_profile
from trimpot.uncertainty import Job, learn_trust

SETTINGS = FitSettings(kappa=(0.5,), ridge=(1e-8,), curvature=(1e-6,), anchors=False)
FRAMES = labelled_frames(60)


def learned(frames=FRAMES, *, refine=True):
    """A fit and its job, with trust in the statistics."""
    structures = [f.structure for f in frames]
    profile = pair_profile(pack(structures, SPECIES), 4.5)
    term = PairSettings(cutoff=4.5, intervals=12).build(SPECIES, profile_of(SPECIES, 1.9))
    model = Model(SPECIES, (term,), np.zeros(2), refine_e0s=refine)
    result = fit(model, frames, SETTINGS, profile=profile, threads=1)
    targets = make_targets(frames, SPECIES, model.fixed, SETTINGS)
    job = Job(model, result, targets, folds_of(frames, SETTINGS), SETTINGS)
    trust = learn_trust(job, threads=1)
    statistics = {**result.potential.statistics, **trust.statistics()}
    return job, replace(result.potential, statistics=statistics)


JOB, POTENTIAL = learned()


def squeezed(structure, scale):
    return replace(
        structure, positions=scale * structure.positions, cell=scale * structure.cell
    )
