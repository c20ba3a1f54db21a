"""One timed run in a process of its own: ``python -m trimpot.benchmarks.worker``.

Reads a request (JSON) from stdin, prints a ``Timing`` as JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

from trimpot.benchmarks.memory import PeakMemory
from trimpot.benchmarks.running import RunSettings, run_nve
from trimpot.benchmarks.states import load_state
from trimpot.engines.following import follow
from trimpot.files import load


def answer(request: dict[str, object]) -> dict[str, object]:
    """Return the timing and memory of the run that a request names."""
    potential = load(str(request["model"]))
    state = load_state(Path(str(request["state"])))
    settings = RunSettings(**request["settings"])  # type: ignore[arg-type]
    follower = follow(
        potential,
        skin=settings.skin,
        threads=int(str(request["threads"])),
        precision=request["precision"],  # type: ignore[arg-type]  # checked by follow
    )
    with PeakMemory() as memory:
        follower.evaluate(state.structure)
        follower.evaluate(state.structure)
    _, timing = run_nve(
        follower,
        state,
        steps=settings.steps,
        warmup=settings.warmup,
        timestep_fs=settings.timestep_fs,
    )
    return asdict(replace(timing, memory=memory.added))


if __name__ == "__main__":
    print(json.dumps(answer(json.load(sys.stdin))))  # noqa: T201 - its only output
