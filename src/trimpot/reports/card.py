"""Model cards: what a potential is, was fitted to, achieves, and must not be used for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from trimpot.errors import InputError
from trimpot.reports.choice import choice_table
from trimpot.reports.document import Section, markdown
from trimpot.reports.tables import summary_table, text_tables

if TYPE_CHECKING:
    from trimpot.validation.errors import ErrorTables

REQUIRED = ("name", "kind", "species")
KNOWN = frozenset(
    (
        *REQUIRED,
        "cutoffs",
        "terms",
        "coefficients",
        "created",
        "version",
        "data",
        "fit",
        "training",
        "choice",
        "isolated_energies",
        "shortest_distances",
        "licence",
        "cite",
        "limits",
    )
)
NOT_RECORDED = "not recorded"


def card_sections(
    facts: Mapping[str, object], errors: Mapping[str, ErrorTables] | None = None
) -> tuple[Section, ...]:
    """Return the sections of a model card.

    Parameters
    ----------
    facts
        Plain values (the header of a potential file). Required: ``name``, ``kind``,
        ``species`` (symbols). Optional: ``cutoffs`` and ``shortest_distances`` (name to
        angstrom), ``terms`` (list of ``kind``, ``cutoff``, ``coefficients``, ``details``),
        ``isolated_energies`` (symbol to eV), ``coefficients``, ``created``, ``version``,
        ``data`` and ``fit`` or ``training`` (nested dictionaries, shown as they are),
        ``choice`` (list of candidates, see ``choice_table``), ``licence``, ``cite``,
        ``limits`` (sentences).
    errors
        Error tables per named set of frames, for example train and test.

    Raises
    ------
    InputError
        For a missing or unknown fact.
    """
    tables = tuple(
        table
        for name, found in (errors or {}).items()
        for table in text_tables(found, name=name)
    )
    note = (
        "Energies per atom; forces and stresses per component. ± is one standard error "
        "with frames as independent samples."
        if tables
        else "No errors recorded: judge the potential on data before using it."
    )
    summary = (summary_table(errors),) if errors else ()
    section = Section("Errors", paragraphs=(note,), tables=(*summary, *tables))
    *before, limits, use = fact_sections(facts)
    return (*before, section, limits, use)


def fact_sections(facts: Mapping[str, object]) -> tuple[Section, ...]:
    """Return the sections of a card without errors; the last two are limits and use.

    Raises
    ------
    InputError
        For a missing or unknown fact.
    """
    missing = [key for key in REQUIRED if key not in facts]
    unknown = sorted(set(facts) - KNOWN)
    if missing or unknown:
        raise InputError(
            f"model card: missing facts {missing}, unknown facts {unknown}; "
            f"known are {sorted(KNOWN)}"
        )
    terms = _terms(facts)
    use = (("licence", _text(facts.get("licence"))), ("cite", _text(facts.get("cite"))))
    return (
        Section("Potential", facts=_identity(facts)),
        *([Section("Terms", facts=terms)] if terms else []),
        Section("Data", facts=_flat(facts.get("data")) or (("data", NOT_RECORDED),)),
        _made(facts),
        *([_choice(facts)] if "choice" in facts else []),
        Section("Limits", paragraphs=_limits(facts)),
        Section("Use", facts=use),
    )


def model_card(
    facts: Mapping[str, object], errors: Mapping[str, ErrorTables] | None = None
) -> str:
    """Return the model card as Markdown; arguments and errors as ``card_sections``."""
    return markdown(f"Model card: {facts.get('name')}", card_sections(facts, errors))


def _identity(facts: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    rows = [("kind", _text(facts["kind"])), ("elements", _text(facts["species"]))]
    rows.append(("cutoffs", _named(facts.get("cutoffs"), "Å")))
    if "isolated_energies" in facts:
        rows.append(("isolated atoms", _named(facts["isolated_energies"], "eV")))
    optional = ("coefficients", "created", "version")
    rows += [(key, _text(facts[key])) for key in optional if key in facts]
    return tuple(rows)


def _terms(facts: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Return a line per term: cutoff, number of coefficients, what else is chosen."""
    rows = []
    for term in cast("Sequence[Mapping[str, object]]", facts.get("terms", ())):
        count, cutoff = term["coefficients"], cast("float", term["cutoff"])
        parts = [f"to {_text(cutoff)} Å"] * (cutoff > 0.0)
        parts.append(f"{count} coefficient{'s' * (count != 1)}" if count else "fixed")
        details = cast("Sequence[str]", term["details"])
        rows.append((_text(term["kind"]), "; ".join([", ".join(parts), *details])))
    return tuple(rows)


def _made(facts: Mapping[str, object]) -> Section:
    """Return how the potential was fitted or trained."""
    if "training" in facts:
        return Section("Training", facts=_flat(facts["training"]))
    return Section("Fit", facts=_flat(facts.get("fit")) or (("conditions", NOT_RECORDED),))


def _choice(facts: Mapping[str, object]) -> Section:
    """Return the settings that were compared, the chosen ones first."""
    candidates = cast("Sequence[Mapping[str, object]]", facts["choice"])
    note = (
        "Chosen by held-out errors on folds of the training frames. The lowest of several "
        "errors flatters a little; errors on test frames do not."
    )
    return Section("Choice", paragraphs=(note,), tables=(choice_table(candidates),))


def _limits(facts: Mapping[str, object]) -> tuple[str, ...]:
    """Return what always holds, then what the author adds."""
    given = facts.get("limits", ())
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise InputError(f"limits must be a list of sentences, found {given!r}")
    limits = [
        f"Describes only {_text(facts['species'])}; other elements are refused.",
        "Tested on configurations like those of the data above; phases, pressures and "
        "temperatures beyond them are extrapolation.",
        "No charges, dispersion or magnetism beyond what short-range energies can carry.",
    ]
    if "shortest_distances" in facts:
        limits.append(
            "Shortest distances in the data: "
            f"{_named(facts['shortest_distances'], 'Å')}; closer pairs follow the "
            "repulsive core, not the reference."
        )
    return (*limits, *(str(sentence) for sentence in given))


def _flat(value: object, prefix: str = "") -> tuple[tuple[str, str], ...]:
    """Return nested dictionaries as rows of (name in words, text)."""
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        return ((prefix or "value", _text(value)),)
    rows: list[tuple[str, str]] = []
    for key, item in value.items():
        name = f"{prefix} {key}".strip().replace("_", " ")
        rows += _flat(item, name) if isinstance(item, Mapping) else [(name, _text(item))]
    return tuple(rows)


def _named(value: object, unit: str) -> str:
    if not isinstance(value, Mapping):
        return _text(value)
    return ", ".join(f"{name} {_text(number)} {unit}" for name, number in value.items())


def _text(value: object) -> str:
    if value is None:
        return NOT_RECORDED
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_text(item) for item in value)
    return str(value)
