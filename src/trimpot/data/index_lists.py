"""Find the frames that a list of numbers in a text file means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trimpot.data.selection import field_values
from trimpot.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from trimpot.data.frames import Frame
    from trimpot.data.splits import ListSplit


def list_members(
    frames: Sequence[Frame], setting: ListSplit
) -> tuple[NDArray[np.bool_], str]:
    """Return which frames are listed, and a description.

    Raises
    ------
    DataError
        If the file holds anything but whole numbers, a number twice, or one that no
        frame has (unless the setting skips these); or if the field is not a number or
        not unique.
    """
    listed = _numbers(setting)
    position = _positions(frames, setting)
    wanted = [number - setting.list_base for number in listed]
    absent = [n + setting.list_base for n in wanted if n not in position]
    if absent and setting.missing == "error":
        raise DataError(
            f"{setting.path}: {len(absent)} listed numbers mean no frame, first "
            f"{absent[0]} ({_meaning(setting)}); correct list_base, field or field_base, "
            "or set missing='skip'"
        )
    member = np.zeros(len(frames), dtype=np.bool_)
    member[[position[n] for n in wanted if n in position]] = True
    skipped = f", {len(absent)} listed numbers without a frame" if absent else ""
    return member, f"training frames listed in {setting.path.name}{skipped}"


def _numbers(setting: ListSplit) -> list[int]:
    try:
        words = setting.path.read_text(encoding="utf-8").split()
        numbers = [int(word) for word in words]
    except (OSError, ValueError) as error:
        raise DataError(
            f"{setting.path}: cannot be read as a list of whole numbers ({error}); give a "
            "text file of numbers separated by white space"
        ) from error
    if len(set(numbers)) != len(numbers):
        twice = next(n for n in sorted(numbers) if numbers.count(n) > 1)
        raise DataError(
            f"{setting.path}: {twice} is listed twice, expected each frame once; delete one"
        )
    return numbers


def _positions(frames: Sequence[Frame], setting: ListSplit) -> dict[int, int]:
    """Return the index of each frame by its number counted from 0."""
    if setting.field is None:
        return {index: index for index in range(len(frames))}
    position: dict[int, int] = {}
    for index, value in enumerate(field_values(frames, setting.field)):
        if not isinstance(value, int) or isinstance(value, bool):
            raise DataError(
                f"{frames[index].source}: the field '{setting.field}' is {value!r}, "
                "expected a whole number that counts the frames; name another field"
            )
        if position.setdefault(value - setting.field_base, index) != index:
            raise DataError(
                f"{frames[index].source}: {setting.field} = {value} occurs twice, expected "
                "one frame per number; name another field"
            )
    return position


def _meaning(setting: ListSplit) -> str:
    counted = "frames" if setting.field is None else f"field {setting.field}"
    base = 0 if setting.field is None else setting.field_base
    return f"list counted from {setting.list_base}, {counted} from {base}"
