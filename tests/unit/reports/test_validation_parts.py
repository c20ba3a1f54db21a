import re
from dataclasses import replace

import numpy as np
import pytest

from judged_samples import (
    MODELS,
    PHASE,
    QUANTITIES_OF_SUITE,
    SOURCE,
    judged,
    property_of,
    suite_result,
)
from trimpot.errors import InputError
from trimpot.reports.page import Picture, page_of_chapters
from trimpot.reports.page_images import short_paths
from trimpot.reports.page_parts import Chapter, Gallery, Markup
from trimpot.reports.style import new_figure
from trimpot.reports.unit_text import readable_unit
from trimpot.reports.validation.curve_figures import above_lowest, cut_axis, panels
from trimpot.reports.validation.error_parts import error_parts
from trimpot.reports.validation.heat_map import heat_color, heat_map
from trimpot.reports.validation.pareto import front
from trimpot.reports.validation.phase_figures import over_volume, phase_pictures
from trimpot.reports.validation.property_table import entry_cell, property_table
from trimpot.reports.validation.values import tolerance_text
from trimpot.validation.properties.outcome import Curve, Outcome, Value
from trimpot.validation.suite_results import Entry, Measured, SuiteResult
from trimpot.validation.suites import Quantity


def noisy_pictures(count):
    rng = np.random.default_rng(1)
    pictures = []
    for k in range(count):
        figure = new_figure(3.0, 2.0)
        figure.subplots().plot(rng.normal(size=2000), linewidth=0.5)
        pictures.append(Picture(f"figure {k}", "noise (eV) over steps", figure))
    return tuple(pictures)


@pytest.mark.parametrize("largest", [400_000, 120_000, 30_000])
def test_pages_stay_below_their_limit(largest):
    chapters = [Chapter("Noise", (Gallery(noisy_pictures(4)),))]
    page = page_of_chapters("T", chapters, largest=largest)
    assert len(page.encode()) <= largest
    left_out = page.count("This figure is left out")
    assert page.count("<img ") + left_out == 4
    assert (left_out > 0) == (largest == 30_000)


def test_text_beyond_the_limit_is_refused():
    with pytest.raises(InputError, match="expected at most 20000"):
        page_of_chapters("T", [Chapter("A", (Markup("x" * 30_000),))], largest=20_000)


def test_paths_are_shortened_and_nothing_else():
    svg = '<path transform="scale(0.015625)" d="M 12.345678 -3.999999 L 7 8.5"/>'
    wanted = '<path transform="scale(0.015625)" d="M 12.35 -4.00 L 7 8.5"/>'
    assert short_paths(svg) == wanted


@pytest.mark.parametrize(
    ("plain", "shown"),
    [
        ("eV/A^2", "eV/Å²"),
        ("A", "Å"),
        ("distance (A)", "distance (Å)"),
        ("1e-6/K", "10⁻⁶/K"),
        ("A-B distance", "A-B distance"),
        ("A crystal melts", "A crystal melts"),
        ("g/cm^3", "g/cm³"),
    ],
)
def test_units_as_people_write_them(plain, shown):
    assert readable_unit(plain) == shown


def quantity(**changes):
    return replace(QUANTITIES_OF_SUITE[1], **changes)


@pytest.mark.parametrize(
    ("entry", "text", "note", "tone"),
    [
        (Entry(310.0, None, 5.0, "within"), "310 ✓", "+1.6 %", "within"),
        (Entry(340.0, None, 35.0, "near"), "340 ≈", "+11.5 %", "near"),
        (Entry(200.0, None, -105.0, "off"), "200 ✗", "\N{MINUS SIGN}34.4 %", "off"),
        (Entry(200.0, 1.5, -105.0, "failed"), "failed", "200.0 ± 1.5", "failed"),
        (Entry(None, None, None, "failed"), "failed", "", "failed"),
        (Entry(310.0, None, None, "measured"), "310", "", ""),
    ],
)
def test_cells_say_the_same_with_and_without_colour(entry, text, note, tone):
    cell = entry_cell(entry, quantity())
    assert (cell.text, cell.note, cell.tone) == (text, note, tone)


def test_tolerances_are_shown_as_they_were_given():
    assert tolerance_text(quantity()) == "±24 (8 %)"
    assert tolerance_text(quantity(reference=3.18, tolerance=0.005)) == "±0.0050"
    assert tolerance_text(quantity(reference=0.0, tolerance=0.22)) == "±0.22"
    assert tolerance_text(quantity(tolerance=None)) == ""


def test_sources_are_footnotes():
    _, table, notes = property_table(suite_result(source="another source"))
    assert table.html.count("<sup>a</sup>") == 3
    assert table.html.count("<sup>b</sup>") == 1
    assert f"<sup>a</sup> DFT-PBE, {SOURCE}" in notes.html
    assert "<sup>b</sup> another source" in notes.html


def test_heat_map_leaves_out_what_has_no_share():
    found = heat_map(suite_result()).html
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', found)
    assert [name for name, _ in rows] == ["a0", "B"]
    assert "+100" in rows[1][1]  # Broken C: twice the reference
    assert heat_color(500.0) == heat_color(20.0) != heat_color(-20.0)
    without = (Quantity("a0", "lattice", "a0", "A"),)
    assert heat_map(suite_result(quantities=without)) is None


def test_front_holds_what_none_beats_in_both():
    assert front([(1.0, 5.0), (2.0, 6.0), (3.0, 2.0), (3.0, 1.0), (9.0, 1.0)]) == [0, 3]


def curve(x, y, names=("distance (A)", "energy (eV)")):
    return Curve(np.asarray(x), np.asarray(y), *names)


def test_reference_curves_find_their_panel():
    a, b = curve([0, 1], [1, 2]), curve([0, 1], [3, 4], ("angle", "density"))
    outcomes = {
        "m": Outcome({}, {"rdf": a, "adf": b}),
        "n": Outcome({}, {"adf_reference": b}),
    }
    found = {panel.name: panel for panel in panels(outcomes)}
    assert list(found) == ["rdf", "adf"]
    assert found["rdf"].reference is None
    assert found["adf"].reference is b


def test_bonds_of_molecules_bring_their_reference():
    x = [0.9, 1.0]
    both = curve(x, [[1.0, 3.0], [2.0, 4.0]], ("bond length (A)", "density (1/A)"))
    (panel,) = panels({"m": Outcome({}, {"bonds_O-H": both})})
    assert panel.curves["m"].y.tolist() == [1.0, 2.0]
    assert panel.reference.y.tolist() == [3.0, 4.0]


def test_phases_are_drawn_over_volume_and_the_lowest_is_named():
    result = suite_result(MODELS[:1])
    bcc = result.measured[MODELS[0]]["lattice"].outcome
    per_atom = {"energy": Value(-9.0, "eV/atom"), "volume": Value(16.0, "A^3/atom")}
    bcc = replace(bcc, values={**bcc.values, **per_atom})
    scan = bcc.curves["energy"]
    assert over_volume(bcc).x[0] == pytest.approx(16.0 * (3.0 / 3.18) ** 3)
    fcc = replace(bcc, curves={"energy": replace(scan, y=scan.y - 0.1)})
    asked = replace(property_of("dense"), phase=replace(PHASE, name="fcc"))
    suite = replace(result.suite, properties={**result.suite.properties, "dense": asked})
    measured = {**result.measured[MODELS[0]], "lattice": Measured(bcc)}
    measured["dense"] = Measured(fcc)
    two = SuiteResult(suite, {MODELS[0]: measured})
    (picture,) = phase_pictures(two)
    assert "Lowest: fcc" in picture.caption
    assert phase_pictures(result) == ()


def test_energies_of_models_are_drawn_from_the_same_zero():
    low = curve([1, 2], [-9.0, -8.0], ("lattice constant (A)", "energy per atom (eV)"))
    assert above_lowest(low).y.tolist() == [0.0, 1.0]
    other = curve([1, 2], [-9.0, -8.0])
    assert above_lowest(other) is other


def test_walls_of_dimers_do_not_flatten_their_wells():
    r = np.linspace(0.5, 6.0, 200)
    wells = [curve(r, 4.0 * ((2.3 / r) ** 12 - 2.0 * (2.3 / r) ** 6))]
    axes = new_figure(3.0, 2.0).subplots()
    axes.plot(r, wells[0].y)
    assert "cut" in cut_axis(axes, wells)
    low, high = axes.get_ylim()
    assert low < -4.0
    assert 2.0 < high < 20.0


def test_peaks_are_not_cut():
    r = np.linspace(0.0, 8.0, 300)
    peak = curve(r, 1.0 + 5.0 * np.exp(-((r - 2.7) ** 2) / 0.01), ("distance (A)", "g(r)"))
    axes = new_figure(3.0, 2.0).subplots()
    axes.plot(r, peak.y)
    assert cut_axis(axes, [peak]) == ""
    assert axes.get_ylim()[1] > 5.5


def test_a_model_that_blows_up_does_not_flatten_the_others():
    x = np.linspace(0.0, 50.0, 30)
    names = ("time (ps)", "temperature (K)")
    calm = [curve(x, 300.0 + 5.0 * np.sin(x + k), names) for k in range(2)]
    wild = curve(x, 300.0 * np.exp(x), names)
    axes = new_figure(3.0, 2.0).subplots()
    assert "cut" in cut_axis(axes, [*calm, wild])
    assert axes.get_ylim()[1] < 400.0


def test_published_errors_stand_apart_with_their_source():
    texts = [part.html for part in error_parts(judged()) if isinstance(part, Markup)]
    table = next(text for text in texts if "Published errors" in text)
    assert re.search(r"GAP.*6\.25.*0\.169.*3070", table, re.DOTALL)
    assert "not measured here" in table
    assert any(f"Source: {SOURCE}" in text for text in texts)
