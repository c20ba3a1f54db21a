"""Weights of the neighbours of one atom: derivatives, symmetry, species, radii."""

import numpy as np
import pytest
from envelope_samples import cluster, crystal, envelope, moved, slope_of

from trimpot.envelopes.reference import screening
from trimpot.envelopes.settings import Limits
from trimpot.errors import InputError
from trimpot.neighbors import neighborhood

OXYGEN, HYDROGEN = 8, 1
ENVELOPES = {
    "product": envelope(),
    "meam": envelope(c_min=0.8, c_max=2.8, switch="meam"),
    "softmin": envelope(combine="softmin", switch="quintic"),
    "inner": envelope(inner=1.0, outer=2.6),
    "inner, softmin": envelope(inner=0.5, outer=3.5, combine="softmin"),
}


def of_copper(limits, d):
    """Weights of neighbours of a copper atom that are copper."""
    return screening(limits, 29, d, np.full(len(d), 29, np.int32))


def between(height, along=0.5):
    """A pair of length 2 on the x axis and one atom beside it."""
    return np.array([[2.0, 0.0, 0.0], [2.0 * along, height, 0.0]])


@pytest.mark.parametrize("name", ENVELOPES)
def test_the_jacobian_is_the_derivative(name):
    limits, d = ENVELOPES[name], cluster(9)
    weights, jacobian = of_copper(limits, d)
    partial = (weights > 0.01) & (weights < 0.99)
    assert partial.any()
    for at in np.ndindex(d.shape):
        slope = slope_of(lambda h, at=at: of_copper(limits, moved(d, at, h))[0])
        assert jacobian[(slice(None), *at)] == pytest.approx(slope, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("name", ENVELOPES)
@pytest.mark.parametrize("lattice", ["fcc", "bcc"])
def test_both_ends_of_a_pair_see_the_same_weight(name, lattice):
    limits = ENVELOPES[name]
    structure = crystal(lattice, 2.6, noise=0.12)  # so small that k and j are images
    hood = neighborhood(structure, 4.4 * limits.stretch)
    found = {}
    for i in range(hood.n_local):
        j = hood.neighbors[hood.first[i] : hood.first[i + 1]]
        d = hood.positions[j] - hood.positions[i]
        weights, _ = screening(limits, 29, d, hood.numbers[j])
        for owner, d_c, weight in zip(hood.owners[j], d, weights, strict=True):
            if np.linalg.norm(d_c) < 4.4:
                found[i, int(owner), *(d_c.round(9) + 0.0)] = weight
    assert any(0.0 < weight < 1.0 for weight in found.values())
    for (i, j, x, y, z), weight in found.items():
        assert found[j, i, -x + 0.0, -y + 0.0, -z + 0.0] == pytest.approx(weight, abs=1e-12)


def test_a_cell_of_one_atom_is_the_crystal():
    small, large = crystal("sc", 2.3), crystal("sc", 2.3, (3, 3, 3))
    sums = []
    for structure in (small, large):
        hood = neighborhood(structure, 6.0)
        j = hood.neighbors[: hood.first[1]]
        d = hood.positions[j] - hood.positions[0]
        sums.append(np.sort(screening(envelope(), 29, d, hood.numbers[j])[0]))
    assert sums[0] == pytest.approx(sums[1], abs=1e-12)
    assert 6 <= np.count_nonzero(sums[0]) < len(sums[0])


def test_the_weight_goes_from_0_to_1_as_the_third_atom_leaves():
    heights = np.linspace(0.0, 1.2, 200)
    weights = np.array([of_copper(envelope(), between(h))[0] for h in heights])
    c = heights**2
    assert (np.diff(weights[:, 0]) >= 0.0).all()
    assert not weights[c <= 0.3, 0].any()
    assert (weights[c >= 1.1, 0] == 1.0).all()
    assert (weights[:, 1] == 1.0).all()


def test_an_atom_alone_and_a_pair_alone_are_not_screened():
    assert of_copper(envelope(), np.zeros((0, 3)))[1].shape == (0, 0, 3)
    assert of_copper(envelope(), between(0.1)[:1])[0] == 1.0


def test_atoms_at_the_same_place_do_no_harm():
    d = np.array([[0.0, 0.0, 0.0], [2.0, 0.3, 0.0], [2.0, 0.3, 0.0], [1.0, 0.2, 0.9]])
    for limits in (envelope(), envelope(inner=0.5, outer=3.0)):
        weights, jacobian = of_copper(limits, d)
        assert weights[0] == 1.0
        assert weights[1] == weights[2] > 0.0
        assert np.isfinite(jacobian).all()


def test_chosen_species_screen_nothing():
    z_j = np.array([OXYGEN, HYDROGEN], np.int32)
    assert screening(envelope((HYDROGEN, OXYGEN)), OXYGEN, between(0.1), z_j)[0][0] == 0.0
    free = envelope((HYDROGEN, OXYGEN), never_screen=("H",))
    weights, jacobian = screening(free, OXYGEN, between(0.1), z_j)
    assert weights.tolist() == [1.0, 1.0]
    assert not jacobian.any()
    assert (
        screening(free, OXYGEN, between(0.1), np.array([OXYGEN, OXYGEN], np.int32))[0][0]
        == 0.0
    )


def test_trios_have_their_own_limits_from_both_ends():
    limits = envelope((HYDROGEN, OXYGEN), trios={"O-H-H": Limits(c_min=0.0, c_max=0.01)})
    o_to_h, h_to_o, o_to_o = (
        (OXYGEN, [HYDROGEN, HYDROGEN]),
        (HYDROGEN, [OXYGEN, HYDROGEN]),
        (OXYGEN, [OXYGEN, HYDROGEN]),
    )
    weights = [
        screening(limits, i, between(0.2), np.array(j, np.int32))[0][0]
        for i, j in (o_to_h, h_to_o, o_to_o)
    ]
    assert weights == [1.0, 1.0, 0.0]


def test_pairs_within_the_inner_radius_are_not_screened():
    d = between(0.1)
    assert of_copper(envelope(), d)[0][0] == 0.0
    assert of_copper(envelope(inner=2.0, outer=3.0), d)[0][0] == 1.0
    assert of_copper(envelope(inner=0.5, outer=2.0), d)[0][0] == 0.0
    partly = of_copper(envelope(inner=1.5, outer=2.5), d)[0][0]
    assert 0.0 < partly < 1.0


def test_softmin_is_the_product_for_one_atom_and_less_for_several():
    soft, product = envelope(combine="softmin"), envelope()
    one = between(0.72)
    two = np.vstack([one, [1.0, -0.72, 0.0]])
    six = np.array([[2.0, 0, 0], *([1, np.cos(a), np.sin(a)] for a in range(6))])
    six[1:, 1:] *= 0.72
    alone = of_copper(soft, one)[0][0]
    assert alone == pytest.approx(of_copper(product, one)[0][0], rel=1e-14)
    assert of_copper(soft, two)[0][0] < alone
    assert of_copper(soft, six)[0][0] == 0.0
    assert of_copper(product, six)[0][0] > 0.0


def test_softmin_is_1_without_screening_atoms_and_has_no_slope():
    far = between(3.0)
    weights, jacobian = of_copper(envelope(combine="softmin"), far)
    assert weights.tolist() == [1.0, 1.0]
    assert not jacobian.any()


def test_a_foreign_element_is_refused():
    with pytest.raises(InputError, match="found Fe, which its species Cu do not include"):
        screening(envelope(), 29, between(0.5), np.array([29, 26], np.int32))
