"""Constants of energies: what another zero costs, and nothing else."""

import numpy as np
import pytest

from toy_potentials import Morse, cluster, crystal, skewed
from trimpot.data import Frame
from trimpot.engines.singlepoint import evaluate
from trimpot.errors import DataError
from trimpot.validation.energy_constants import fitted_constants, shifted
from trimpot.validation.predictions import predict


def labelled(structures, isolated):
    potential = Morse(isolated=isolated)
    return [Frame(s, energy=evaluate(potential, s).energy) for s in structures]


def test_another_zero_is_found_and_taken_away():
    frames = labelled([crystal(), skewed(), cluster()], {14: -5.5, 74: -1.0})
    found = predict(Morse(), frames, threads=1)
    constants = fitted_constants(found, frames)
    assert constants == {14: pytest.approx(-2.5), 74: pytest.approx(1.0)}
    moved = shifted(found, frames, constants)
    assert np.allclose(moved.energies, [f.energy for f in frames], atol=1e-9)
    assert moved.forces is found.forces


def test_frames_without_energies_are_refused():
    frames = [Frame(crystal())]
    with pytest.raises(DataError, match="no frame has an energy"):
        fitted_constants(predict(Morse(), frames, threads=1), frames)
