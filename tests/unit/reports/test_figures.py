"""Figures: written files are whole, reproducible and show what was given."""

import subprocess
import sys

import numpy as np
import pytest

from trimpot.errors import InputError
from trimpot.reports.curves import SCREENED, PairCurve, plot_pair_curves
from trimpot.reports.densities import (
    EnergyByTerm,
    RadialFunctions,
    plot_energies_by_term,
    plot_radial_functions,
)
from trimpot.reports.dynamics import drift_per_picosecond, plot_nve
from trimpot.reports.envelopes import EnvelopePicture, plot_envelopes
from trimpot.reports.groups import plot_group_errors
from trimpot.reports.parity import ParitySet, plot_parity
from trimpot.reports.scores import ScoreCurve, plot_cross_validation
from trimpot.reports.slices import TripletAngles, TripletMap, plot_triplet_slices
from trimpot.reports.style import save_figure
from trimpot.validation.comparisons import Comparison
from trimpot.validation.errors import ErrorRow, ErrorTables


def comparison(quantity, count, seed=0):
    rng = np.random.default_rng(seed)
    reference = rng.normal(size=count)
    predicted = reference + 0.1 * rng.normal(size=count)
    zeros = np.zeros(count, dtype=np.int32)
    return Comparison(quantity, reference, predicted, np.arange(count), zeros, 0)


def tables(groups=("bulk", "liquid"), quantities=("energy", "forces")):
    units = {"energy": "meV/atom", "forces": "meV/A", "stress": "GPa"}
    rows = [
        ErrorRow(
            quantity=quantity,
            unit=units[quantity],
            grouping="all" if group == "all" else "config_type",
            group=group,
            frames=4,
            values=12,
            mae=2.0,
            mae_standard_error=0.1,
            rmse=3.0 + k,
            rmse_standard_error=None if k == 1 else 0.2,
            maximum=9.0,
            bias=0.0,
        )
        for quantity in quantities
        for k, group in enumerate(("all", *groups))
    ]
    return ErrorTables(tuple(rows), 8, {"energy": 0, "forces": 0, "stress": 8})


def pair_curve(label="W-W", density=True):
    r = np.linspace(0.5, 5.5, 200)
    energy = (np.exp(-2.8 * (r - 2.7)) - 2.0 * np.exp(-1.4 * (r - 2.7))) * 0.5
    edges = np.linspace(0.0, 5.5, 56)
    counts = np.where(edges[1:] > 2.2, 10.0, 0.0)
    behind = (counts, edges) if density else (None, None)
    return PairCurve(label, r, energy, *behind)


def screened_pair():
    plain = pair_curve()
    added = -0.4 * np.exp(-((plain.r - 3.0) ** 2))
    return PairCurve("W-W", plain.r, plain.energy, plain.density, plain.edges, added)


def radial_functions(angular=2):
    r = np.linspace(0.0, 5.0, 60)
    humps = np.exp(-((r - np.array([[2.0], [3.0], [4.0]])) ** 2))
    return RadialFunctions("densities: W-W", r, 0.6 * humps, 0.6 * humps[:angular])


def energy_by_term():
    r = np.linspace(2.0, 6.0, 50)
    pairs, many = 3.0 * np.exp(2.6 - r), -4.0 * np.exp(0.5 * (2.6 - r))
    return EnergyByTerm("bcc W", r, {"pairs": pairs, "densities": many}, 2.2, r < 2.5)


def triplet_map():
    r, r_jk = np.linspace(2.0, 4.0, 12), np.linspace(2.0, 8.0, 20)
    energy = np.where(r_jk[None] > 2.0 * r[:, None], np.nan, 1.0 / r[:, None] + 0 * r_jk)
    return TripletMap("W-W-W", r, r_jk, energy)


def triplet_angles():
    angle = np.linspace(20.0, 180.0, 30)
    r = np.array([2.5, 3.0])
    return TripletAngles("W-W-W", angle, r, np.cos(np.deg2rad(angle)) / r[:, None])


def nve():
    time = np.arange(0.0, 1000.0, 5.0)
    return plot_nve(time, -8.0 + 1e-9 * time, np.full(len(time), 300.0))


FIGURES = {
    "parity": lambda: plot_parity(
        [
            ParitySet("train", (comparison("energy", 40), comparison("forces", 4000))),
            ParitySet("test", (comparison("energy", 9, seed=1),)),
        ]
    ),
    "groups": lambda: plot_group_errors({"train": tables(), "test": tables(("bulk",))}),
    "pairs": lambda: plot_pair_curves([pair_curve(), pair_curve("W-Si", density=False)]),
    "screened pairs": lambda: plot_pair_curves([screened_pair()]),
    "triplets": lambda: plot_triplet_slices([triplet_map(), triplet_angles()]),
    "functions": lambda: plot_radial_functions([radial_functions()] * 4),
    "energies": lambda: plot_energies_by_term([energy_by_term()] * 2),
    "envelopes": lambda: plot_envelopes([EnvelopePicture("pairs", 0.3, 1.2, "smooth")]),
    "scores": lambda: plot_cross_validation(
        [ScoreCurve("curvature 1e-6", np.logspace(-8, -2, 7), np.linspace(1, 9, 7))],
        chosen=(1e-8, 1.0),
    ),
    "nve": nve,
}


@pytest.mark.parametrize("name", FIGURES)
def test_files_are_written_whole(name, tmp_path):
    formats = ("png", "svg", "pdf")
    png, svg, pdf = save_figure(FIGURES[name](), tmp_path / "deep" / name, formats)
    assert png.read_bytes().startswith(b"\x89PNG")
    assert svg.read_text().rstrip().endswith("</svg>")
    assert pdf.read_bytes().startswith(b"%PDF")
    assert png.stat().st_size > 10_000


def test_equal_figures_are_equal_files(tmp_path):
    first = save_figure(FIGURES["pairs"](), tmp_path / "a")
    second = save_figure(FIGURES["pairs"](), tmp_path / "b")
    for one, two in zip(first, second, strict=True):
        assert one.read_bytes() == two.read_bytes()


def test_unknown_format_is_refused(tmp_path):
    with pytest.raises(InputError, match="formats"):
        save_figure(nve(), tmp_path / "x", ("bmp",))


def test_parity_shows_errors_in_their_units():
    one = Comparison(
        "energy",
        np.array([-1.0, -2.0]),
        np.array([-0.99, -2.01]),
        np.arange(2),
        np.zeros(2, dtype=np.int32),
        0,
    )
    figure = plot_parity([ParitySet("test", (one,))])
    (axes,) = figure.axes
    (text,) = axes.texts
    assert "RMSE 10.0" in text.get_text()
    assert "meV/atom" in text.get_text()
    assert axes.get_xlim() == axes.get_ylim()


def test_parity_leaves_out_what_nobody_labelled():
    figure = FIGURES["parity"]()
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["train: energy", "train: forces", "test: energy", "test: forces"]
    assert [t.get_text() for t in figure.axes[3].texts] == ["no labels"]
    with pytest.raises(InputError, match="nothing to plot"):
        plot_parity([ParitySet("test", ())])


def test_group_errors_list_every_group_once_and_all_last():
    figure = plot_group_errors({"train": tables(), "test": tables(("bulk", "slab"))})
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["bulk", "liquid", "slab", "all"]
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["energy", "forces"]
    with pytest.raises(InputError, match="nothing to plot"):
        plot_group_errors({"train": ErrorTables((), 0, {})})


def test_pair_panel_shows_the_well_not_the_core():
    curve = pair_curve()
    figure = plot_pair_curves([curve])
    low, high = figure.axes[0].get_ylim()
    assert low < curve.energy.min() < 0.0 < high
    assert high < 0.1 * curve.energy.max()


def test_screened_pair_has_a_line_beside_the_plain_one_and_their_sum():
    curve = screened_pair()
    (axes,) = [a for a in plot_pair_curves([curve]).axes if a.get_ylabel()]
    lines = {line.get_label(): line.get_ydata() for line in axes.lines}
    drawn = [lines[name] for name in curve.lines]
    np.testing.assert_array_equal(drawn[0] + drawn[1], drawn[2])
    assert SCREENED in lines
    assert SCREENED not in pair_curve().lines
    low, high = axes.get_ylim()
    assert low < (curve.energy + curve.screened)[curve.r > 2.3].min() < 0.0 < high


def test_radial_functions_without_angular_ones_have_one_row():
    panels = [a for a in plot_radial_functions([radial_functions(0)]).axes if a.lines]
    assert [a.get_ylabel() for a in panels] == ["$B_a(r)$"]
    both = plot_radial_functions([radial_functions()])
    assert [a.get_ylabel() for a in both.axes if a.lines] == ["$B_a(r)$", "$R_a(r)$"]
    mixed = plot_radial_functions([radial_functions(0), radial_functions(2)])
    assert len([a for a in mixed.axes if a.lines]) == len(mixed.axes) == 3


def test_energy_panel_shows_rest_and_where_densities_saturate():
    crystal = energy_by_term()
    np.testing.assert_allclose(crystal.total, sum(crystal.parts.values()))
    assert not crystal.saturated[crystal.lowest]
    figure = plot_energies_by_term([crystal])
    left, _ = figure.axes[0].get_xlim()
    assert left < crystal.r[crystal.lowest]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["pairs", "densities", "sum", "a density saturates", "no data"]


def test_envelope_picture_is_white_outside_and_black_inside_its_limits():
    picture = EnvelopePicture("pairs", 0.3, 1.2, "smooth")
    assert picture.weight(np.array([0.0, 0.3, 1.2, np.inf])).tolist() == [0, 0, 1, 1]
    titles = [a.get_title(loc="left") for a in plot_envelopes([picture]).axes]
    assert titles == ["pairs", "where a third atom screens"]


def test_repulsive_pair_without_data_is_drawn():
    r = np.linspace(0.5, 5.0, 50)
    figure = plot_pair_curves([PairCurve("He-He", r, np.exp(-3.0 * r))])
    low, high = figure.axes[0].get_ylim()
    assert low < 0.0 < high


def test_wrong_shapes_are_refused():
    with pytest.raises(InputError, match="equal shapes"):
        PairCurve("W-W", np.arange(3.0), np.arange(4.0))
    with pytest.raises(InputError, match="both density and edges"):
        PairCurve("W-W", np.arange(3.0), np.arange(3.0), density=np.ones(2))
    three, four = np.arange(3.0), np.arange(4.0)
    for slanted in (
        TripletMap("W", three, four, np.zeros((4, 3))),
        TripletAngles("W", three, four, np.zeros((3, 4))),
    ):
        with pytest.raises(InputError, match="expected"):
            plot_triplet_slices([slanted])
    with pytest.raises(InputError, match="nothing to plot"):
        plot_pair_curves([])
    with pytest.raises(InputError, match="screened of shape"):
        PairCurve("W-W", three, three, screened=four)
    with pytest.raises(InputError, match="angular of shape"):
        RadialFunctions("W-W", three, np.zeros((2, 3)), np.zeros((2, 4)))
    with pytest.raises(InputError, match="pairs of shape"):
        EnergyByTerm("fcc W", three, {"pairs": four})
    for plot in (plot_radial_functions, plot_energies_by_term, plot_envelopes):
        with pytest.raises(InputError, match="nothing to plot"):
            plot([])
    with pytest.raises(InputError, match="positive"):
        plot_cross_validation([ScoreCurve("x", np.array([0.0, 1.0]), np.ones(2))])
    with pytest.raises(InputError, match="nothing to plot"):
        plot_cross_validation([])
    with pytest.raises(InputError, match="temperatures"):
        plot_nve(np.arange(3.0), np.arange(3.0), np.arange(2.0))


def test_drift_is_the_slope_in_mev_per_atom_and_picosecond():
    time = np.linspace(0.0, 5000.0, 51)
    assert drift_per_picosecond(time, -8.0 + 2e-9 * time) == pytest.approx(2e-3)
    with pytest.raises(InputError, match="two different times"):
        drift_per_picosecond(np.zeros(4), np.zeros(4))


def test_importing_reports_and_validation_does_not_import_matplotlib():
    code = (
        "import sys, trimpot.reports, trimpot.validation\n"
        "bad = {'matplotlib', 'ase'} & set(sys.modules)\n"
        "sys.exit(f'imported {bad}' if bad else 0)"
    )
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_plotting_does_not_touch_global_settings():
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    nve()
    assert dict(mpl.rcParams) == before
