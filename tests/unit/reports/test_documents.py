"""Tables, cards and pages: right numbers, right units, nothing unescaped."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from rich.console import Console

from trimpot.errors import InputError
from trimpot.reports.card import card_sections, model_card
from trimpot.reports.choice import choice_summary, choice_table
from trimpot.reports.document import Section, TextTable, markdown_table
from trimpot.reports.numbers import significant, with_error
from trimpot.reports.page import Picture, html_page
from trimpot.reports.style import new_figure
from trimpot.reports.tables import (
    json_tables,
    markdown_tables,
    rich_table,
    rich_tables,
    summary_table,
    text_tables,
)
from trimpot.validation.errors import ErrorRow, ErrorTables


def tables():
    def row(quantity, unit, grouping, group, rmse, error):
        return ErrorRow(
            quantity, unit, grouping, group, 12, 120, 1.5, 0.05, rmse, error, 9.25, -0.125
        )

    rows = (
        row("energy", "meV/atom", "all", "all", 5.836, 0.213),
        row("energy", "meV/atom", "config_type", "bulk|md", 4.0, None),
        row("forces", "meV/A", "all", "all", 140.2, 1.9),
        row("forces", "meV/A", "element", "W", 140.2, 1.9),
    )
    return ErrorTables(rows, 20, {"energy": 0, "forces": 3, "stress": 20})


FACTS = {
    "name": "tungsten",
    "kind": "UF2,3",
    "species": ["W"],
    "cutoffs": {"pair": 5.5, "legs": 4.25},
    "data": {"fingerprint": "abc123", "frames": 1938, "split": {"field": "uf3_train"}},
    "shortest_distances": {"W-W": 1.8},
    "limits": ["Not tested above 4000 K."],
}


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (5.836, "5.84"), (140.2, "140"), (0.01234, "0.0123"), (3.2e7, "3.20e+07")],
)
def test_significant_digits(value, text):
    assert significant(value) == text


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (5.836, 0.213, "5.84 ± 0.21"),
        (140.2, 1.9, "140.2 ± 1.9"),
        (140.2, 19.0, "140 ± 19"),
        (4.0, None, "4.00"),
        (0.0, 0.0, "0"),
        (1.0, 1e-9, "1.00 ± 1.0e-09"),
    ],
)
def test_values_end_at_the_second_digit_of_their_error(value, error, text):
    assert with_error(value, error) == text


def test_text_tables_carry_units_groups_and_missing_labels():
    energy, forces = text_tables(tables(), name="test")
    assert energy.title == "test energy (meV/atom)"
    assert energy.rows[0] == ("all", "12", "5.84 ± 0.21", "1.500 ± 0.050", "9.25", "-0.125")
    assert forces.title == "test forces (meV/Å), 3 of 20 frames without label"
    assert [row[0] for row in forces.rows] == ["all", "element W"]


def test_rounding_errors_are_shown_as_zeros():
    tiny = (1e-13, 1e-14, 2e-13, None, 9e-13, 1e-9)
    row = ErrorRow("forces", "meV/A", "all", "all", 9, 27, *tiny)
    missing = {"energy": 0, "forces": 0, "stress": 0}
    (table,) = text_tables(ErrorTables((row,), 9, missing))
    assert table.rows == (("all", "9", "0.000", "0.000", "0.000", "0.000"),)


def test_summary_has_one_row_per_set_and_quantity():
    summary = summary_table({"train": tables(), "test": tables()})
    assert [row[0] for row in summary.rows] == [
        "train energy (meV/atom)",
        "test energy (meV/atom)",
        "train forces (meV/Å)",
        "test forces (meV/Å)",
    ]


def test_terminal_tables_fit_eighty_columns():
    console = Console(width=80)
    with console.capture() as capture:
        console.print(rich_table(summary_table({"test": tables()})))
        console.print(*rich_tables(tables(), name="test"))
    text = capture.get()
    assert "5.84 ± 0.21" in text
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 80


CANDIDATES = [
    {
        "settings": "model.terms.1.cutoff=5.0, model.terms.1.envelope={c_min: 0.3}",
        "coefficients": 1093,
        "rmse": {"energy": 4.1234e-3, "forces": 0.11111},
        "score": 0.0512345,
        "strengths": {"kappa": 0.875, "ridge": 1e-9, "curvature": 1e-8},
        "seconds": 95.2,
    },
    {
        "settings": "model.terms.1.cutoff=6.0, model.terms.1.envelope=null",
        "coefficients": 1093,
        "rmse": {},
        "score": None,
        "strengths": None,
        "seconds": 12.0,
    },
]


def test_candidates_have_errors_strengths_and_costs():
    first, second = choice_table(CANDIDATES).rows
    assert first[1:] == (
        "1093",
        "4.123",
        "111.1",
        "0.05123",
        "95",
        "0.875",
        "1e-09",
        "1e-08",
    )
    assert second[1:] == ("1093", "", "", "singular", "12", "", "", "")
    card = model_card({**FACTS, "choice": CANDIDATES})
    assert "## Choice" in card
    assert CANDIDATES[1]["settings"] in card
    assert "## Choice" not in model_card(FACTS)


def test_candidates_fit_eighty_columns():
    console = Console(width=80)
    with console.capture() as capture:
        console.print(rich_table(choice_summary(CANDIDATES)))
    text = capture.get()
    assert "0.05123" in text
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 80


def test_markdown_keeps_its_columns():
    text = markdown_tables(tables(), name="test")
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert r"bulk\|md" in text
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1
    with pytest.raises(InputError, match="cells"):
        markdown_table(TextTable("bad", ("a", "b"), (("1",),)))


def test_json_keeps_full_precision_and_reads_back():
    plain = json.loads(json_tables({"test": tables()}))
    assert ErrorTables.from_dict(plain["test"]) == tables()
    with pytest.raises(InputError, match="rows"):
        ErrorTables.from_dict({"rows": 3})
    with pytest.raises(InputError, match="malformed"):
        ErrorTables.from_dict({"rows": [{"x": 1}], "frames": 1, "missing": {}})


def test_card_says_what_it_is_how_good_and_what_it_is_not_for():
    card = model_card(FACTS, {"test": tables()})
    for expected in (
        "# Model card: tungsten",
        "pair 5.5 Å, legs 4.25 Å",
        "**split field:** uf3_train",
        "5.84 ± 0.21",
        "Describes only W",
        "W-W 1.8 Å",
        "Not tested above 4000 K.",
        "**licence:** not recorded",
    ):
        assert expected in card


def test_card_has_a_line_for_every_term():
    screened = {
        "kind": "screened_triplet",
        "cutoff": 6.0,
        "coefficients": 837,
        "details": ["screened: C 0.3 to 1.2 (smooth, product)"],
    }
    one = {"kind": "one_body", "cutoff": 0.0, "coefficients": 1, "details": []}
    core = {"kind": "zbl", "cutoff": 1.8, "coefficients": 0, "details": []}
    card = model_card({**FACTS, "terms": [one, screened, core]})
    for line in (
        "- **one_body:** 1 coefficient\n",
        "- **screened_triplet:** to 6 Å, 837 coefficients; screened: C 0.3 to 1.2",
        "- **zbl:** to 1.8 Å, fixed\n",
    ):
        assert line in card
    assert "## Terms" not in model_card(FACTS)


def test_wide_terminal_tables_keep_numbers_and_words_whole():
    header = ("us/atom/step", *("screened triplet",) * 8)
    table = TextTable("shares", header, (("a long name of it", *("2.942",) * 8),))
    console = Console(width=100)
    with console.capture() as capture:
        console.print(rich_table(table))
    assert capture.get().count("2.942") == 8
    assert "screened" in capture.get()


def test_card_refuses_unknown_and_missing_facts():
    with pytest.raises(InputError, match="unknown facts \\['licens'\\]"):
        model_card({**FACTS, "licens": "MIT"})
    with pytest.raises(InputError, match="missing facts \\['kind'\\]"):
        model_card({"name": "x", "species": ["W"]})
    with pytest.raises(InputError, match="list of sentences"):
        model_card({**FACTS, "limits": "one sentence"})


def test_card_without_errors_says_so():
    assert "No errors recorded" in model_card(FACTS)


class Outline(HTMLParser):
    """Collects sources, links, headings and open tags."""

    def __init__(self):
        super().__init__()
        self.sources, self.anchors, self.targets, self.open = [], [], [], []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.sources += [values["src"]] if "src" in values else []
        self.anchors += [values["href"]] if "href" in values else []
        self.targets += ["#" + values["id"]] if "id" in values else []
        if tag not in {"meta", "img"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_page_is_self_contained_and_well_formed():
    figure = new_figure(3.0, 2.0)
    figure.subplots().plot(np.arange(3.0))
    sections = card_sections(FACTS, {"test": tables()})
    page = html_page("Report", sections, [Picture("Plot", "a line", figure)], lead="Lead.")
    outline = Outline()
    outline.feed(page)
    assert outline.open == []
    assert outline.anchors == outline.targets
    assert len(outline.sources) == 1
    assert outline.sources[0].startswith("data:image/svg+xml;base64,")
    assert "<script" not in page
    assert "://" not in re.sub(r'src="[^"]*"', "", page)


def test_page_escapes_what_users_write():
    nasty = "<script>alert('x')</script> & co"
    section = Section(nasty, ((nasty, nasty),), (nasty,), (TextTable(nasty, (nasty,), ()),))
    page = html_page(nasty, [section], lead=nasty)
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_large_vector_figures_become_pixels():
    rng = np.random.default_rng(0)
    figure = new_figure(3.0, 2.0)
    figure.subplots().scatter(*rng.normal(size=(2, 9000)))
    page = html_page("Report", [], [Picture("Plot", "points", figure)])
    assert "data:image/png;base64," in page
