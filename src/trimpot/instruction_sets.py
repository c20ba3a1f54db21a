"""The choice of kernels by the environment."""

from __future__ import annotations

import os

from trimpot.errors import InputError

VARIABLE = "TRIMPOT_INSTRUCTION_SET"
"""Names the kernels to use (avx512, avx2, baseline); unset: the best of this processor."""


def check_environment() -> None:
    """Check the environment variable before the native core reads it.

    Raises
    ------
    InputError
        If this processor or build lacks the instruction set named there.
    """
    wish = os.environ.get(VARIABLE)
    if wish is None:
        return
    from trimpot import _native  # only now: a command's help needs no native core

    names = _native.instruction_sets()
    if wish not in names:
        raise InputError(
            f"{VARIABLE}={wish} is not available here; choose one of "
            f"{', '.join(names)}, or unset it"
        )
