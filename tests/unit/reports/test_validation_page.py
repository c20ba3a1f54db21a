import re
from dataclasses import replace
from html import escape
from html.parser import HTMLParser

import numpy as np
import pytest

from browser import browser
from judged_samples import (
    FACTS,
    MODELS,
    PHASE,
    QUANTITIES_OF_SUITE,
    SOURCE,
    examination,
    judged,
    property_of,
    suite_result,
)
from trimpot.errors import InputError
from trimpot.reports.judged import Judged, JudgedModel
from trimpot.reports.page import LARGEST_PAGE, Picture, page_of_chapters
from trimpot.reports.page_images import short_paths
from trimpot.reports.page_parts import Chapter, Gallery, Markup
from trimpot.reports.style import new_figure
from trimpot.reports.unit_text import readable_unit
from trimpot.reports.validation.curve_figures import above_lowest, cut_axis, panels
from trimpot.reports.validation.glance import sentence, verdict_counts
from trimpot.reports.validation.heat_map import heat_color, heat_map
from trimpot.reports.validation.pareto import front
from trimpot.reports.validation.phase_figures import over_volume, phase_pictures
from trimpot.reports.validation.property_table import entry_cell, property_table
from trimpot.reports.validation.values import tolerance_text
from trimpot.reports.validation_page import judged_page
from trimpot.validation.properties.outcome import Curve, Outcome, Value
from trimpot.validation.suite_results import Entry, Measured, SuiteResult
from trimpot.validation.suites import Quantity

NASTY = "<script>alert('x')</script> & co"


class Outline(HTMLParser):
    """Collects text, images and links; every tag must be closed."""

    def __init__(self, page):
        super().__init__()
        self.words, self.images, self.anchors, self.targets, self.open = [], [], [], [], []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.anchors += [values["href"]] if "href" in values else []
        self.targets += ["#" + values["id"]] if "id" in values else []
        self.images += [values] if tag == "img" else []
        if tag not in {"meta", "img", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def page():
    return judged_page(judged())


@pytest.fixture(scope="module")
def outline(page):
    return Outline(page)


def test_page_holds_everything_that_was_found(outline):
    wanted = [
        *MODELS,
        *(q.name.replace("_", " ") for q in QUANTITIES_OF_SUITE),
        "GAP",
        "published, not measured here",
        f"DFT-PBE, {SOURCE}",
        "9 frames of made-up data",
        "1024 atoms, 1 thread",
        "trimpot validate a.trimpot --suite made-up",
        "a processor",
        "imaginary modes: the lowest frequency is -2.38 THz",
        "the crystal blew up at 3000 K",
        examination()["net-force"].spec.meaning,
        "atom 7 of bcc W",
        "12 % of steps extrapolated",
    ]
    assert [text for text in wanted if text not in outline.text] == []
    assert outline.anchors == outline.targets


def test_page_needs_nothing_else(page, outline):
    assert len(page.encode()) <= LARGEST_PAGE
    assert "<script" not in page
    assert all(image["src"].startswith("data:image/") for image in outline.images)
    assert "://" not in re.sub(r'src="[^"]*"', "", page)


def test_every_figure_says_what_it_shows_with_units(outline):
    # parity 3, cost 2, V2, then energy, three bands, rdf, msd
    assert len(outline.images) == 3 + 2 + 1 + 1 + 3 + 2
    assert all(len(image["alt"]) > 15 for image in outline.images)
    assert all("(" in image["alt"] for image in outline.images)


def test_verdict_comes_first(page, outline):
    text = outline.text
    assert text.index("3 of 3 properties") > text.index("passes all")
    assert text.index("3 of 3 properties") < text.index("Potential")
    top = page[: page.index("<nav>")]
    assert "tile within" in top
    assert "tile off" not in top


def test_verdict_of_a_bad_model():
    models = judged().models
    worst = judged(models=(models[2], models[0], models[1]))
    assert sentence(worst).startswith("Broken C: fails 1 physical checks (net-force)")
    counts = verdict_counts(worst.suite, "Broken C")
    assert counts == {"off": 2, "failed": 2}
    assert counts != verdict_counts(worst.suite, "EAM B")


def test_all_text_is_escaped():
    name = f"model {NASTY}"
    result = suite_result(
        (name,), (replace(QUANTITIES_OF_SUITE[0], name=NASTY, source=NASTY),), NASTY
    )
    column = replace(result.suite.published[0], name=NASTY, values={NASTY: 3.0})
    found = Outcome({}, {}, {}, (NASTY,), NASTY)
    name_of = f"property {NASTY}"
    suite = replace(
        result.suite,
        name=NASTY,
        properties={**result.suite.properties, name_of: property_of(name_of)},
        published=(column,),
    )
    measured = {name: {**result.measured[name], name_of: Measured(found)}}
    facts = {**FACTS, "kind": NASTY, "data": {NASTY: NASTY}, "limits": [NASTY]}
    page = judged_page(
        Judged(
            NASTY,
            (JudgedModel(name, facts),),
            SuiteResult(suite, measured, {name: NASTY}),
            NASTY,
            NASTY,
            {NASTY: NASTY},
            {NASTY: NASTY},
        )
    )
    assert "<script" not in page
    assert page.count(escape(NASTY)) > 15
    Outline(page)


def test_page_of_a_model_without_anything():
    text = Outline(judged_page(Judged("T", (JudgedModel("m"),)))).text
    assert "neither checks nor properties were asked for" in text


def test_page_of_a_suite_in_which_everything_failed():
    result = suite_result(MODELS[:1])
    failed = {n: Measured(Outcome(failure=f"{n} blew up")) for n in result.suite.properties}
    result = replace(result, measured={MODELS[0]: failed})
    text = Outline(judged_page(Judged("T", (JudgedModel(MODELS[0]),), result))).text
    assert "0 of 4 properties are within tolerance, 4 failed" in text
    assert all(f"{name} blew up" in text for name in failed)


def test_models_must_fit_to_the_suite():
    with pytest.raises(InputError, match="at least one"):
        judged_page(Judged("T", ()))
    with pytest.raises(InputError, match="different names"):
        judged_page(Judged("T", (JudgedModel("m"), JudgedModel("m"))))
    with pytest.raises(InputError, match="Broken C"):
        judged_page(judged(models=judged().models[:2]))


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
    outline = Outline(page)
    left_out = page.count("This figure is left out")
    assert len(outline.images) + left_out == 4
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


def test_energies_off_by_a_constant_are_named(outline):
    assert "Energies of EAM B are off by little but a constant" in outline.text


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


@pytest.fixture(scope="module")
def tab():
    with browser() as opened:
        yield opened


WIDTH = "document.documentElement.scrollWidth"
BROKEN = "[...document.images].filter(i => !i.naturalWidth).length"


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
def test_page_in_a_browser(tab, page, tmp_path, width):
    path = tmp_path / "page.html"
    path.write_text(page, "utf-8")
    tab.open(path, width, dark=width == 768)
    tab.value("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert tab.value(WIDTH) <= width
    assert tab.value("document.images.length") == page.count("<img ")
    assert tab.value(BROKEN) == 0
    assert tab.requests() == []
    assert tab.complaints() == []


def test_first_column_stays_on_a_phone(tab, page, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(page, "utf-8")
    tab.open(path, 360)
    tab.value(
        "window.box = [...document.querySelectorAll('.scroll')]"
        ".find(b => b.textContent.includes('published, not measured'))"
    )
    assert tab.value("box.scrollWidth > box.clientWidth")
    place = "box.querySelector('tbody th').getBoundingClientRect().left"
    before = tab.value(place)
    tab.value("box.scrollLeft = 120")
    assert tab.value("box.scrollLeft") == 120
    assert tab.value(place) == before


def test_page_in_print(tab, page, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(page, "utf-8")
    tab.open(path, 1280)
    printed = tab.printed()
    assert printed.startswith(b"%PDF")
    assert 3 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 25


def test_browser_sees_what_is_wrong(tab, tmp_path):
    path = tmp_path / "bad.html"
    path.write_text(
        '<div style="width:900px">wide</div><img src="http://127.0.0.1:9/x.png">'
        "<script>console.error('no')</script>",
        "utf-8",
    )
    tab.open(path, 360)
    assert tab.value(WIDTH) > 360
    assert tab.value(BROKEN) == 1
    assert tab.requests() == ["http://127.0.0.1:9/x.png"]
    assert tab.complaints() != []
