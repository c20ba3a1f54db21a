"""The exception tree: every error that a user can cause or meet.

Each message says what was found, what was expected and what to do about it.
"""


class TrimpotError(Exception):
    """Base of all errors raised on purpose by Trimpot."""


class InputError(TrimpotError, ValueError):
    """An argument or setting is wrong (shape, range, unknown key, unknown element)."""


class DataError(TrimpotError, ValueError):
    """Reference data are missing, malformed or physically impossible."""


class FitError(TrimpotError, RuntimeError):
    """A fit cannot be done (no data, too little memory, singular system)."""


class FileFormatError(TrimpotError, ValueError):
    """A potential file is damaged, hostile or from an unknown version."""


class WriteError(TrimpotError, OSError):
    """A result cannot be written (disk full, no permission, no such folder)."""


class NonFiniteResultError(TrimpotError, ArithmeticError):
    """An energy, force or stress came out as NaN or infinity."""


class StoppedRunError(TrimpotError, RuntimeError):
    """Dynamics was stopped: it extrapolates too far, or its cell ran away."""


class EngineError(TrimpotError, RuntimeError):
    """Another program, such as LAMMPS or a compiler for its plugin, failed."""


class EndedRunError(TrimpotError, RuntimeError):
    """Another program was ended from outside; what it had done stays, start it again."""


class MissingPartError(TrimpotError, ImportError):
    """An optional part is not installed, such as PyTorch for networks."""
