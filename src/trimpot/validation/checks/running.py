"""All checks of one potential, family by family."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from trimpot.errors import InputError
from trimpot.validation.checks.catalogue import FAMILIES, chosen_names
from trimpot.validation.checks.judged import CheckSettings, judged_of
from trimpot.validation.checks.verdict import Measured, NotApplicable, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from trimpot.contract import Potential, Structure
    from trimpot.validation.checks.judged import Judged
    from trimpot.validation.checks.known import Known
    from trimpot.validation.checks.verdict import Family, Found


@dataclass(frozen=True)
class Examination:
    """All verdicts on one potential."""

    verdicts: tuple[Verdict, ...]

    @property
    def passed(self) -> bool:
        """Whether no mandatory check failed."""
        return not any(v.failed for v in self.verdicts)

    @property
    def counts(self) -> dict[str, int]:
        """How many passed, failed, failed without being mandatory, or do not apply."""
        kinds = {
            "passed": [v.applies and v.passed for v in self.verdicts],
            "failed": [v.failed for v in self.verdicts],
            "advice": [not v.passed and not v.failed for v in self.verdicts],
            "not_applicable": [not v.applies for v in self.verdicts],
        }
        return {kind: sum(of) for kind, of in kinds.items()}

    def __getitem__(self, name: str) -> Verdict:
        """Return the verdict of a check by its name."""
        return next(v for v in self.verdicts if v.spec.name == name)

    def to_dict(self) -> dict[str, object]:
        """Return plain values."""
        return {
            "passed": self.passed,
            "counts": self.counts,
            "checks": [v.to_dict() for v in self.verdicts],
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, object]) -> Examination:
        """Return the examination that ``to_dict`` turned into plain values.

        Raises
        ------
        InputError
            If a field is missing or of the wrong kind.
        """
        try:
            found = cast("Sequence[Mapping[str, object]]", plain["checks"])
            return cls(tuple(Verdict.from_dict(one) for one in found))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"checks are malformed ({type(error).__name__}: {error}); make them again"
            ) from error


def run_checks(
    potential: Potential,
    known: Known | None = None,
    structures: Sequence[Structure] = (),
    settings: CheckSettings = CheckSettings(),  # noqa: B008 - frozen
    *,
    only: Sequence[str] = (),
    progress: Callable[[str, int, int], None] | None = None,
) -> Examination:
    """Make physical checks of any potential, on structures made from its species.

    Parameters
    ----------
    potential
        Any potential.
    known
        What is known of it besides: radii, shortest distances, isolated energies.
    structures
        Further structures to check it on; of more than eight, eight are taken.
    settings
        How much work it is.
    only
        Names of checks or of families; all if empty.
    progress
        Called with the family that begins, how many are done, and how many there are.

    Raises
    ------
    InputError
        For an unknown name in ``only``. Whatever the potential raises is a failed check.
    """
    wanted = chosen_names(only)
    families = [f for f in FAMILIES if any(s.name in wanted for s in f.specs)]
    judged = judged_of(potential, known, structures, settings)
    verdicts: list[Verdict] = []
    for done, family in enumerate(families):
        if progress is not None:
            progress(family.title, done, len(families))
        verdicts += [v for v in _verdicts(family, judged) if v.spec.name in wanted]
    if progress is not None and families:
        progress(families[-1].title, len(families), len(families))
    return Examination(tuple(verdicts))


def _verdicts(family: Family, judged: Judged) -> list[Verdict]:
    found = _measured(family, judged)
    verdicts = []
    for spec in family.specs:
        single = judged.is_single(sharp=spec.sharp) and spec.single is not None
        bound = spec.single if single and spec.single is not None else spec.bound
        one = found[spec.name]
        value = None if isinstance(one, NotApplicable) else float(one.value)
        detail = one.reason if isinstance(one, NotApplicable) else one.detail
        verdicts.append(Verdict(spec, bound, value, detail, family.title))
    return verdicts


def _measured(family: Family, judged: Judged) -> Mapping[str, Found]:
    """Return what a family finds; what the potential raises counts as not a number."""
    try:
        with np.errstate(all="ignore"):
            return family.measure(judged)
    except Exception as error:  # noqa: BLE001 - a failing potential is a result
        raised = Measured(float("nan"), f"{type(error).__name__}: {error}")
        return {spec.name: raised for spec in family.specs}
