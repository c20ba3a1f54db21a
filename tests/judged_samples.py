"""Made-up results of three models in which everything that a page shows occurs once."""

from __future__ import annotations

import numpy as np

from trimpot.reports.judged import Judged, JudgedModel
from trimpot.reports.page import Picture
from trimpot.reports.style import new_figure
from trimpot.validation.checks import FAMILIES, Examination, Verdict
from trimpot.validation.comparisons import QUANTITIES, Comparison
from trimpot.validation.errors import SCALES, UNITS, ErrorRow, ErrorTables
from trimpot.validation.properties.case import Phase
from trimpot.validation.properties.outcome import Curve, Outcome, Value
from trimpot.validation.properties.protocols import PROTOCOLS
from trimpot.validation.suite_results import Measured, SuiteResult
from trimpot.validation.suites import Property, Published, Quantity, Suite

MODELS = ("Spline A", "EAM B", "Broken C")
PHASE = Phase("bcc", "bcc", ("W",), 3.18)
SOURCE = "doi:10.0000/made.up"


def property_of(name, protocol="equation_of_state"):
    known = PROTOCOLS[protocol]
    return Property(name, known, PHASE, known.settings_from({}, name))


def outcome(k):
    """Return a scan of energies whose minimum depends on the model."""
    a = np.linspace(3.0, 3.4, 21)
    energy = Curve(
        a, 5.0 * (a - 3.18 - 0.02 * k) ** 2, "lattice constant (A)", "energy per atom (eV)"
    )
    return Outcome(
        {"a0": Value(3.18 + 0.006 * k, "A"), "B": Value(305.0 * (1 + 0.5 * k), "GPa")},
        {"energy": energy},
        notes=("two atoms",),
    )


def bands(k):
    x = np.linspace(0.0, 2.0, 40)
    y = np.abs(np.sin(np.pi * x))[:, None] * np.array([3.0, 3.0, 5.0]) * (1 + 0.1 * k)
    names = "wave vector (1/A)", "frequency (THz)"
    failure = "imaginary modes: the lowest frequency is -2.38 THz" if k == 2 else None
    return Outcome(
        {"rmse": Value(0.1 + 0.2 * k, "THz")},
        {
            "bands": Curve(
                x, y - (2.0 if k == 2 else 0.0), *names, ((0.0, "G"), (2.0, "H"))
            ),
            "density": Curve(x * 3, x, "frequency (THz)", "density of states (1/THz)"),
            "reference": Curve(x[::8], y[::8] / (1 + 0.1 * k), *names),
        },
        failure=failure,
    )


def liquid(k):
    if k == 2:
        return Outcome(failure="the crystal blew up at 3000 K")
    r = np.linspace(0.0, 8.0, 100)
    rdf = Curve(r, 1.0 - np.exp(-((r / 2.5) ** 8)), "distance (A)", "g(r)")
    msd = Curve(r, 2.0 * r, "time (ps)", "mean square displacement (A^2)")
    return Outcome(
        {"density": Value(16.0 + k, "g/cm^3", 0.05)},
        {"rdf": rdf, "rdf_reference": rdf, "msd": msd},
    )


def stress(k):
    return Outcome(
        {
            "stable_runs": Value(4.0 - 2 * k, ""),
            "runs": Value(4.0, ""),
            "temperature": Value(9000.0 - 1000 * k, "K"),
            "extrapolated": Value(0.125, ""),
        }
    )


MEASURES = {"lattice": outcome, "phonons": bands, "liquid": liquid, "heating": stress}

QUANTITIES_OF_SUITE = (
    Quantity("a0", "lattice", "a0", "A", 3.18, None, 0.005, SOURCE, "DFT-PBE"),
    Quantity("B", "lattice", "B", "GPa", 305.0, 2.0, 24.4, SOURCE, "DFT-PBE"),
    Quantity("phonon_error", "phonons", "rmse", "THz", 0.0, None, 0.22, SOURCE, "DFT-PBE"),
    Quantity("liquid_density", "liquid", "density", "g/cm^3"),
)


def suite_result(models=MODELS, quantities=QUANTITIES_OF_SUITE, source=SOURCE):
    suite = Suite(
        "made-up",
        ("W",),
        {name: property_of(name) for name in MEASURES},
        {q.name: q for q in quantities},
        (
            Published(
                "GAP",
                source,
                {"a0": 3.178, "B": 364.0},
                {"energy": 6.25, "force": 0.169},
                3070,
            ),
        ),
        cost_unit="relative",
    )
    found = {
        model: {name: Measured(made(k), 1.5 + k) for name, made in MEASURES.items()}
        for k, model in enumerate(models)
    }
    return SuiteResult(suite, found, {model: f"key of {model}" for model in models})


def examination(failing=()):
    """Return verdicts on every check; those named are a thousand times beyond the bound."""
    return Examination(
        tuple(
            Verdict(
                spec,
                spec.bound or 1.0,
                (spec.bound or 1.0) * (1e3 if spec.name in failing else 1e-3),
                "atom 7 of bcc W" if spec.name in failing else "",
                family.title,
            )
            for family in FAMILIES
            for spec in family.specs
        )
    )


def errors(scale, bias=0.0):
    rows = [
        ErrorRow(q, UNITS[q], grouping, group, 9, 90, 2.0 * scale, 0.1, 3.0 * scale, 0.2,
                 9.0 * scale, bias * scale)
        for q in QUANTITIES
        for grouping, group in (("all", "all"), ("config_type", "surface"))
    ]  # fmt: skip
    return ErrorTables(tuple(rows), 9, dict.fromkeys(QUANTITIES, 0))


def comparisons():
    rng = np.random.default_rng(3)
    reference = rng.normal(size=300)
    return tuple(
        Comparison(
            quantity,
            reference,
            reference + rng.normal(size=300) * 0.01 * SCALES[quantity] ** 0,
            np.arange(300),
            np.full(300, 74, dtype=np.int32),
            0,
        )
        for quantity in QUANTITIES
    )


def picture(title="Pair energies"):
    figure = new_figure(3.7, 2.5)
    figure.subplots().plot([0.0, 1.0], [1.0, 0.0])
    return Picture(title, "V2 (eV) over r (Å)", figure)


FACTS = {"name": "a.trimpot", "kind": "spline", "species": ["W"], "data": {"frames": 12}}


def judged(**changes):
    models = (
        JudgedModel(
            MODELS[0], FACTS, examination(), errors(1.0), comparisons(), (0.5, 0.4, 0.9),
            (picture(),),
        ),
        JudgedModel(MODELS[1], None, None, errors(4.0, 2.95), (), (0.2, 0.2, 0.3)),
        JudgedModel(MODELS[2], None, examination(("net-force",)), errors(9.0)),
    )  # fmt: skip
    given = {
        "title": "Judged for a test",
        "models": models,
        "suite": suite_result(),
        "data": "9 frames of made-up data",
        "timed_on": "1024 atoms, 1 thread",
        "commands": {"properties": "trimpot validate a.trimpot --suite made-up"},
        "machine": {"processor": "a processor", "trimpot": "0.1.0"},
    }
    return Judged(**(given | changes))
