"""Comparisons: runs in turn, counts, shares, floors."""

from dataclasses import dataclass

import numpy as np
import pytest

from spline_samples import random_potential
from toy_potentials import Morse, crystal
from trimpot.benchmarks.cases import measure_case
from trimpot.benchmarks.floors import Peaks, floor, measure_peaks
from trimpot.benchmarks.parts import Counts, PartCounts, counts, shares
from trimpot.benchmarks.running import RunSettings, Timing
from trimpot.benchmarks.spread import Spread
from trimpot.benchmarks.starting import Start
from trimpot.benchmarks.states import thermal
from trimpot.benchmarks.subjects import Ours, OursAfresh, interleaved
from trimpot.errors import InputError
from trimpot.files import save
from trimpot.reports.timing_figures import CostCurve, plot_cases, plot_costs
from trimpot.reports.timings import ratio_lines

SHORT = RunSettings(steps=2, warmup=0, repeats=3)


def state_of(repeat=2, rattle=0.0):
    return thermal(crystal(repeat, rattle=rattle), 1.0, np.random.default_rng(0))


@dataclass
class Scripted:
    """Takes 1, 2, 3, ... times a second of its own."""

    name: str
    seconds: float
    order: list
    same_potential = False

    def run(self, _state, _settings):
        self.order.append(self.name)
        turn = self.order.count(self.name)
        return Timing(0.0, turn * self.seconds, 0.0, 0, 0.0)


def test_subjects_run_in_turn_and_ratios_are_within_a_round():
    order = []
    slow, quick = interleaved(
        [Scripted("slow", 3.0, order), Scripted("quick", 1.0, order)], state_of(), SHORT
    )
    assert order == ["slow", "quick", "quick", "slow", "slow", "quick"]
    ratio = slow.ratio(quick)
    assert (ratio.low, ratio.median, ratio.high) == (3.0, 3.0, 3.0)
    spread = quick.microseconds(1_000_000)
    assert (spread.low, spread.median, spread.high) == (1.0, 2.0, 3.0)


def test_counts_of_a_perfect_crystal():
    # bcc, a = 3.165 A: shells of 8, 6, 12, 24 at 2.741, 3.165, 4.476, 5.248 A
    found = counts(random_potential("uf23", 1), crystal(2, rattle=0.0), skin=0.8)
    assert (found.neighbors, found.listed) == (26.0, 50.0)
    assert found.parts["pair"].neighbors == 26.0
    assert (found.parts["triplet"].neighbors, found.parts["triplet"].triplets) == (14, 91)
    assert "one_body" not in found.parts
    assert counts(Morse(), crystal(2), skin=0.0).parts == {}


def test_parts_add_up_to_the_potential():
    potential = random_potential("uf23", 2)
    structure = crystal(2)
    from trimpot.engines.singlepoint import evaluate

    alone = [evaluate(potential.only(part), structure).forces for part in potential.parts]
    np.testing.assert_allclose(
        sum(alone), evaluate(potential, structure).forces, rtol=1e-10, atol=1e-10
    )


def test_shares_add_up_to_the_call():
    found = shares(random_potential("uf23", 1), state_of(), SHORT)
    assert set(found) == {"list", "pair", "triplet", "zbl", "shared"}
    assert found["list"] > 0.0
    assert sum(found.values()) > 0.0


def test_floors_count_pairs_and_triplets():
    peaks = Peaks({"double": 10.0, "mixed": 20.0}, copy_gb_per_s=1.0, threads=1)
    parts = {"pair": PartCounts(5.0, 20.0, 190.0), "triplet": PartCounts(4.0, 10.0, 45.0)}
    found = floor(Counts(20.0, 30.0, parts), peaks, "double")
    assert found.flops == 10 * 30 + 26 * 20 + 316 * 45
    assert found.us_by_flops == pytest.approx(found.flops / 1e4)
    assert found.us_by_bytes == pytest.approx((2 * 30 + 128) / 1e3)
    assert found.us == found.us_by_flops
    mixed = floor(Counts(20.0, 30.0, parts), peaks, "mixed")
    assert mixed.us_by_flops == pytest.approx(0.5 * found.us_by_flops)
    assert floor(Counts(20.0, 30.0), peaks, "double") is None
    other = {"density": PartCounts(5.0, 20.0, 190.0)}
    assert floor(Counts(20.0, 30.0, other), peaks, "double") is None


def test_peaks_are_of_this_world():
    peaks = measure_peaks()
    assert peaks.gflops["mixed"] > 1.0
    assert peaks.gflops["double"] > 0.5
    assert 0.1 < peaks.copy_gb_per_s < 1e4


def test_a_fresh_process_sees_the_same_potential(tmp_path):
    potential = random_potential("pair", 1)
    save(potential, tmp_path / "m.trimpot")
    state = state_of(8)
    here = Ours("here", potential).run(state, SHORT)
    afresh = OursAfresh("afresh", tmp_path / "m.trimpot", instruction_set="baseline")
    there = afresh.run(state, SHORT)
    assert there.first_energy == pytest.approx(here.first_energy, rel=1e-13)
    assert there.kernels > 0.0
    assert there.memory >= 0
    assert here.memory is None
    missing = OursAfresh("none", tmp_path / "none.trimpot")
    with pytest.raises(InputError, match="process that runs none failed"):
        missing.run(state, SHORT)


def test_a_case_says_when_equal_potentials_disagree():
    order = []
    potential = random_potential("pair", 1)
    state = state_of()
    other = Scripted("other", 1.0, order)
    other.same_potential = True
    case = measure_case(
        "toy", potential, Start(state, "crystal"), [Ours("own", potential), other], SHORT
    )
    expected = -case.measurements[0].runs[0].first_energy / len(state)
    assert case.energy_differences() == {"other": pytest.approx(expected)}
    assert "energy at the start beside own, eV/atom: other" in ratio_lines(case)[-1]
    assert case.reference == "own"
    with pytest.raises(InputError, match="at least one subject of Trimpot"):
        measure_case("toy", potential, Start(state, "crystal"), [other], SHORT)


def test_figures_show_what_was_measured():
    costs = (Spread(1.0, 0.9, 1.2), Spread(2.0, 2.0, 2.5))
    curves = [CostCurve("a", (4.0, 6.0), costs), CostCurve("b", (4.0,), costs[:1], True)]
    axes = plot_costs(curves, x_label="cutoff", logarithmic=False).axes[0]
    assert list(axes.get_xticks()) == [4.0, 6.0]
    drawn = sorted(
        tuple(line.get_ydata()) for line in axes.get_lines() if line.get_marker()
    )
    assert (1.0, 2.0) in drawn
    with pytest.raises(InputError, match="nothing to plot"):
        plot_costs([], x_label="atoms")
    with pytest.raises(InputError, match="nothing to plot"):
        plot_cases([])
