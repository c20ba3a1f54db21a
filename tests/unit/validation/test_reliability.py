"""Whether a potential's own uncertainties tell its errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fitting_samples import labelled_frames
from toy_potentials import Morse
from trimpot.contract import Uncertainty
from trimpot.reports.reliability import plot_reliability, reliability_lines
from trimpot.validation.predictions import predict
from trimpot.validation.reliability import reliability

FRAMES = labelled_frames(40)


class Knowing(Morse):
    """A potential that claims the same standard deviation everywhere."""

    def __init__(self, sigma, *, stress=None):
        super().__init__()
        self.sigma, self.sigma_of_stress = sigma, stress

    def grader(self, *, threads=0):  # noqa: ARG002
        return None

    def uncertainties(self, structures, *, threads=0):  # noqa: ARG002
        return [
            Uncertainty(
                self.sigma * len(s),
                np.full((len(s), 3), self.sigma),
                self.sigma_of_stress,
                np.linspace(0.0, 0.5 + k, len(s)),
            )
            for k, s in enumerate(structures)
        ]


def noisy(frames, sigma):
    rng = np.random.default_rng(4)
    return [
        replace(
            f,
            energy=f.energy + sigma * len(f) * rng.normal(),
            forces=f.forces + sigma * rng.normal(size=f.forces.shape),
        )
        for f in frames
    ]


def judged(claimed, true, **options):
    potential = Knowing(claimed)
    frames = noisy(FRAMES, true)
    return reliability(potential, frames, predict(potential, frames), **options)


@pytest.mark.parametrize(
    ("claimed", "low", "high"), [(0.1, 0.92, 0.98), (0.05, 0.6, 0.75), (0.3, 0.999, 1.0)]
)
def test_coverage_tells_honest_from_too_sure_and_too_careful(claimed, low, high):
    found = judged(claimed, 0.1)
    forces = next(s for s in found.spreads if s.quantity == "forces")
    assert low <= forces.coverage <= high


def test_quantities_without_uncertainty_are_left_out():
    assert [s.quantity for s in judged(0.1, 0.1).spreads] == ["energy", "forces"]


def test_farthest_frame_and_atom_are_named():
    found = judged(0.1, 0.1)
    assert int(found.indices[found.grades.argmax()]) == len(FRAMES) - 1
    assert found.atoms[-1] == len(FRAMES[-1]) - 1
    assert found.outside == pytest.approx(np.mean(found.grades > 1.0))
    (line,) = [text for text in reliability_lines(found) if "farthest" in text]
    assert f"frame {len(FRAMES) - 1}, atom {len(FRAMES[-1]) - 1}" in line
    first = found.to_dict()["farthest"][0]
    assert first["frame"] == len(FRAMES) - 1


def test_forces_of_lone_atoms_are_not_counted():
    alone = list(FRAMES[:3])
    lone = replace(
        FRAMES[0],
        structure=replace(
            FRAMES[0].structure,
            numbers=FRAMES[0].structure.numbers[:1],
            positions=FRAMES[0].structure.positions[:1],
        ),
        forces=np.zeros((1, 3)),
    )
    potential = Knowing(0.1)
    frames = [*alone, lone]
    found = reliability(potential, frames, predict(potential, frames))
    forces = next(s for s in found.spreads if s.quantity == "forces")
    assert len(forces.errors) == 3 * sum(len(f) for f in alone)


def test_some_frames_are_taken_where_there_are_many():
    found = judged(0.1, 0.1, most_atoms=50)
    atoms = sum(len(FRAMES[i]) for i in found.indices)
    assert 50 <= atoms < 60


def test_a_potential_that_foretells_nothing_is_not_judged():
    assert reliability(Morse(), FRAMES, predict(Morse(), FRAMES)) is None


def test_figure_has_a_panel_per_quantity_and_one_of_grades():
    assert len(plot_reliability(judged(0.1, 0.1)).axes) == 3
