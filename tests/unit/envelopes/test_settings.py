"""What a configuration may say of a triplet envelope."""

import numpy as np
import pytest
from envelope_samples import envelope

from trimpot.envelopes import EnvelopeSettings, TripletEnvelope
from trimpot.envelopes.settings import Limits
from trimpot.errors import InputError


@pytest.mark.parametrize(
    ("c_min", "c_max"), [(1.1, 0.3), (0.5, 0.5), (-0.1, 1.0), (np.nan, 1.0), (0.3, np.inf)]
)
def test_limits_in_the_wrong_order_are_refused(c_min, c_max):
    with pytest.raises(InputError, match="expected 0 <= c_min < c_max"):
        envelope(c_min=c_min, c_max=c_max)


@pytest.mark.parametrize(
    ("inner", "outer"), [(2.0, 1.0), (2.0, 2.0), (-1.0, 2.0), (np.nan, 2.0), (1.0, 0.0)]
)
def test_radii_in_the_wrong_order_are_refused(inner, outer):
    with pytest.raises(InputError, match="expected 0 <= inner < outer"):
        envelope(inner=inner, outer=outer)


def test_limits_of_a_trio_must_fit_those_they_leave_alone():
    with pytest.raises(InputError, match=r"found c_min 0\.3 and c_max 0\.2"):
        envelope((1, 8), trios={"O-H-O": Limits(c_max=0.2)})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"never_screen": ("Fe",)}, "'Fe' names an element outside"),
        ({"never_screen": ("Xx",)}, "unknown element 'Xx'"),
        ({"trios": {"O-H-Fe": Limits()}}, "'O-H-Fe' names an element outside"),
        ({"trios": {"O-H": Limits()}}, "expected 3 elements"),
    ],
)
def test_unknown_elements_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        EnvelopeSettings(**settings).build((1, 8))


def test_a_trio_names_the_screening_atom_in_the_middle():
    h, o = 0, 1
    limits = envelope((1, 8), trios={"H-H-O": Limits(0.1, 0.5)})
    assert limits.c_min[h, o, h] == limits.c_min[o, h, h] == 0.1
    assert limits.c_max[h, o, h] == limits.c_max[o, h, h] == 0.5
    assert np.count_nonzero(limits.c_min == 0.1) == 2


def test_whole_numbers_leave_room_for_fractions():
    limits = envelope((1, 8), c_min=0, c_max=2, trios={"H-H-O": Limits(0.1, 0.5)})
    assert limits.c_min.dtype == limits.c_max.dtype == np.float64
    assert limits.c_min.max() == 0.1


def test_a_state_restores_the_envelope():
    limits = envelope((1, 8), combine="softmin", never_screen=("H",), inner=1.0, outer=2.0)
    again = TripletEnvelope.from_state((1, 8), limits.state())
    for name, value in vars(limits).items():
        assert np.array_equal(getattr(again, name), value)
