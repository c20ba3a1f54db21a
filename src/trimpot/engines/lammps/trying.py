"""Whether an ``lmp`` can load a plugin."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from trimpot.errors import EngineError

STYLE = "trimpot"

TRIAL = "plugin load {plugin}\nplugin list\n"

SECONDS = 60.0


def check_loads(lmp: str, plugin: Path) -> None:
    """Raise ``EngineError`` unless an lmp loads a plugin and then knows the pair style."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    environment.pop("LAMMPS_PLUGIN_PATH", None)  # another one may be there
    with tempfile.TemporaryDirectory(prefix="trimpot-lammps-") as folder:
        try:
            done = subprocess.run(
                [lmp, "-log", "none", "-nocite"],
                input=TRIAL.format(plugin=plugin),
                capture_output=True,
                text=True,
                check=False,
                cwd=folder,
                env=environment,
                timeout=SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise EngineError(
                f"{lmp} does not end within {SECONDS:g} s; {_DOUBT}"
            ) from None
    output = done.stdout + done.stderr
    if done.returncode != 0 or f"pair style plugin {STYLE}" not in output:
        words = [line for line in output.splitlines() if line.strip()][-8:]
        said = "\n".join(f"  {line}" for line in words)
        raise EngineError(f"{lmp} cannot load the plugin that was built:\n{said}\n{_DOUBT}")


_DOUBT = (
    "see that the headers (--lammps-include), the MPI compiler (--mpicxx) and this lmp "
    "(--lmp) belong together"
)
