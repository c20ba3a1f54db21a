"""Two processes train what one does."""

import os
import socket
import subprocess
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need PyTorch")

if not torch.distributed.is_available():
    pytest.skip("this PyTorch has no distributed training", allow_module_level=True)

from torch import distributed  # noqa: E402
from training_samples import NETWORK, SPECIES, Recorder, mixed, settings  # noqa: E402

from trimpot.networks.training import train_network  # noqa: E402

SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {samples!r})
import numpy as np
from training_samples import NETWORK, SPECIES, Recorder, mixed, settings
from trimpot.networks.training import train_network
folder, watcher = Path(sys.argv[1]), Recorder()
result = train_network(
    NETWORK, SPECIES, mixed(7), mixed(4, seed=7), settings(), folder / "run", watcher
)
np.savez(folder / "other.npz", notes=len(watcher.notes), **result.state)
"""


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def test_two_processes_train_the_network_of_one(tmp_path, monkeypatch):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(samples=str(Path(__file__).parent)))
    team = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    other = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path)],
        env=os.environ | team | {"RANK": "1", "LOCAL_RANK": "1"},
    )
    data = (mixed(7), mixed(4, seed=7), settings())
    alone = train_network(NETWORK, SPECIES, *data, tmp_path / "alone", Recorder())
    watcher = Recorder()
    for name, value in (team | {"RANK": "0", "LOCAL_RANK": "0"}).items():
        monkeypatch.setenv(name, value)
    start = partial(distributed.init_process_group, timeout=timedelta(seconds=60))
    monkeypatch.setattr(distributed, "init_process_group", start)  # never hang
    try:
        together = train_network(NETWORK, SPECIES, *data, tmp_path / "run", watcher)
        assert other.wait(timeout=60) == 0
    finally:
        other.kill()
        other.wait()
    silent = np.load(tmp_path / "other.npz")
    assert len(watcher.notes) > 0 == silent["notes"]
    assert not distributed.is_initialized()
    for row, expected in zip(together.history, alone.history, strict=True):
        for name in ("loss", "force_loss", "valid_loss", "valid_force_rmse"):
            assert row[name] == pytest.approx(expected[name], rel=1e-8)
    for name, values in alone.state.items():
        assert np.array_equal(together.state[name], silent[name])
        assert np.allclose(together.state[name], values, atol=1e-10)
