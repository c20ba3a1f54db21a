import re
from dataclasses import replace
from html import escape
from html.parser import HTMLParser

import pytest

from browser import browser
from judged_samples import (
    FACTS,
    MODELS,
    QUANTITIES_OF_SUITE,
    SOURCE,
    examination,
    judged,
    property_of,
    suite_result,
)
from trimpot.errors import InputError
from trimpot.reports.judged import Judged, JudgedModel
from trimpot.reports.page import LARGEST_PAGE
from trimpot.reports.validation.glance import sentence, verdict_counts
from trimpot.reports.validation_page import judged_page
from trimpot.validation.properties.outcome import Outcome
from trimpot.validation.suite_results import Measured, SuiteResult

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


def test_energies_off_by_a_constant_are_named(outline):
    assert "Energies of EAM B are off by little but a constant" in outline.text


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
