"""Random orders of frames: fair beginnings, duplicates together, same seed same order."""

from dataclasses import replace

import numpy as np

from toy_potentials import crystal
from trimpot.data import Frame
from trimpot.data.nesting import nested_order


def made(count=60):
    groups = ["bulk"] * 40 + ["surface"] * 15 + ["vacancy"] * 5
    return [
        Frame(crystal(1, seed=k), energy=float(k), config_type=groups[k])
        for k in range(count)
    ]


def test_every_beginning_has_each_group_in_proportion():
    frames = made()
    order = nested_order(frames, 0)
    assert sorted(order.tolist()) == list(range(60))
    for n in (12, 24, 36):
        found = [frames[i].config_type for i in order[:n]]
        for group, share in (("bulk", 40 / 60), ("surface", 15 / 60), ("vacancy", 5 / 60)):
            assert abs(found.count(group) - share * n) <= 1.0


def test_seeds_decide():
    frames = made()
    assert np.array_equal(nested_order(frames, 3), nested_order(frames, 3))
    assert not np.array_equal(nested_order(frames, 3), nested_order(frames, 4))


def test_duplicates_follow_each_other():
    frames = made(20)
    frames.append(replace(frames[7], energy=1.0))
    order = nested_order(frames, 1).tolist()
    assert abs(order.index(7) - order.index(20)) == 1
