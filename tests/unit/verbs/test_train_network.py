"""The verb train for networks: from a file to a judged potential that every verb takes."""

import csv
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need PyTorch")

import trimpot  # noqa: E402
from network_configs import TINY, Notes, quick_network  # noqa: E402
from trimpot.config import config_from, load_config  # noqa: E402
from trimpot.data import read  # noqa: E402
from trimpot.errors import InputError, MissingPartError  # noqa: E402
from trimpot.networks.potential import NetworkPotential  # noqa: E402
from trimpot.verbs import learn, refit, train  # noqa: E402
from trimpot.verbs.network_data import validation_places  # noqa: E402
from trimpot.verbs.watching import Logged  # noqa: E402


@pytest.fixture(scope="module")
def notes():
    return Notes()


@pytest.fixture(scope="module")
def learned(data_file, tmp_path_factory, notes):
    output = tmp_path_factory.mktemp("network") / "out"
    return train(quick_network(data_file, output, figures=True), watcher=notes)


def test_writes_everything_that_a_user_looks_for(learned):
    names = {p.name for p in learned.output.iterdir()}
    expected = "model.trimpot config.yaml log.jsonl errors.json errors.md card.md"
    assert {*expected.split(), "report.html", "figures", "training.csv"} <= names
    figures = {p.stem for p in (learned.output / "figures").iterdir()}
    assert figures == {"parity", "errors_per_group", "training"}


def test_it_learns(learned, frames):
    forces = np.concatenate([f.get_forces().ravel() for f in frames])
    (row,) = learned.errors["test"].select("forces", "all")
    assert row.rmse < 0.6 * 1e3 * forces.std()
    with (learned.output / "training.csv").open() as table:
        losses = [float(row["loss"]) for row in csv.DictReader(table)]
    assert losses[-1] < 0.3 * losses[0]


def test_notes_say_what_was_read_split_and_held_back(notes, learned):
    text = "\n".join(notes.lines)
    for part in (
        "15 frames",
        "12 training and 3 test",
        "E0s (isolated",
        "validation: 2 of",
    ):
        assert part in text
    assert learned.potential.provenance["training"]["validation_frames"] == 2
    assert learned.potential.provenance["training"]["frames"] == 9


def test_saved_potential_is_the_returned_one(learned, data_file):
    structures = [f.structure for f in read(data_file)]
    loaded = trimpot.load(learned.model)
    assert isinstance(loaded, NetworkPotential)
    pairs = zip(
        loaded.evaluate_many(structures, threads=1),
        learned.potential.evaluate_many(structures, threads=1),
        strict=True,
    )
    for a, b in pairs:
        assert a.energies.tobytes() == b.energies.tobytes()
        assert a.forces.tobytes() == b.forces.tobytes()


def test_errors_match_an_independent_calculation(learned, frames):
    calculator = trimpot.Calculator(learned.potential, precision="mixed")
    residuals = []
    for theirs in (f for f in frames if f.info["fold"] == 3):
        mine = theirs.copy()
        mine.calc = calculator
        difference = mine.get_potential_energy() - theirs.get_potential_energy()
        residuals.append(1e3 * difference / len(mine))
    (row,) = learned.errors["test"].select("energy", "all")
    assert row.rmse == pytest.approx(np.sqrt(np.mean(np.square(residuals))), abs=1e-3)


def test_written_configuration_is_that_of_the_run(learned, data_file):
    written = load_config(learned.output / "config.yaml")
    assert written == config_from(quick_network(data_file, learned.output, figures=True))
    text = (learned.output / "config.yaml").read_text()
    assert "\nfit:" not in text
    assert "training:" in text


def test_provenance_is_in_the_file(learned, data_file):
    facts = trimpot.load(learned.model).provenance
    assert facts["data"]["sha256"] == read(data_file).fingerprint
    assert facts["config"]["model"]["kind"] == "mlanet"
    assert facts["torch"] == torch.__version__
    assert facts["training"]["epochs"] == pytest.approx(25, abs=0.5)
    assert facts["errors"]["test"]["frames"] == 3
    assert facts["history"][-1]["epoch"] == pytest.approx(25, abs=0.5)


def test_a_core_is_the_prior_unless_switched_off(learned, data_file, tmp_path):
    assert learned.potential.prior.parts == ("zbl",)
    values = quick_network(data_file, tmp_path / "off", model={**TINY, "prior": "off"})
    assert train(values, ["training.epochs=1"]).potential.prior is None


def test_show_gives_a_card_and_the_curves(learned, tmp_path):
    shown = trimpot.show(learned.model, output=tmp_path / "card")
    for part in ("mlanet + zbl", "network 4.2 Å", "1 layers of 4 channels", "## Training"):
        assert part in shown.card
    assert shown.facts["coefficients"] == learned.potential.n_weights
    assert [p.name for p in (tmp_path / "card" / "figures").iterdir()] == ["training.png"]


def test_other_verbs_take_it(learned, data_file, tmp_path):
    from ase.io import read as ase_read
    from ase.io import write as ase_write

    from trimpot.engines.relaxation_settings import RelaxSettings

    judged = trimpot.evaluate(learned.model, data_file, threads=1)
    assert judged.tables.frames == 15
    atoms = ase_read(data_file, 0)
    ase_write(tmp_path / "start.extxyz", atoms)
    points = trimpot.singlepoint(learned.model, tmp_path / "start.extxyz", threads=1)
    assert np.isfinite(points.points[0].energy)
    settings = RelaxSettings()  # LBFGS goes round here: FIRE takes over
    relaxed = trimpot.relax(
        learned.model, tmp_path / "start.extxyz", settings, output=tmp_path / "relaxed"
    )
    assert relaxed.converged


def test_dynamics_conserves_energy_and_goes_on(learned, frames, tmp_path):
    from ase.io import write as ase_write

    from trimpot.cli.app import main

    ase_write(tmp_path / "start.extxyz", frames[0].repeat((1, 2, 2)))
    run = str(tmp_path / "run")
    command = ["md", str(learned.model), str(tmp_path / "start.extxyz"), "--output", run]
    command += ["--steps", "20", "--temperature", "300", "--checkpoint-interval", "10"]
    options = ["--threads", "1", "--no-figures", "--log-interval", "1"]
    assert main([*command, *options]) == 0
    assert main(["md", "--resume", run, "--steps", "40", "--threads", "1"]) == 0
    lines = (tmp_path / "run" / "log.csv").read_text().splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    energies = [float(row["conserved_ev_per_atom"]) for row in rows]
    assert len(energies) == 41
    assert np.ptp(energies) < 1e-4


@pytest.fixture(scope="module")
def fitted(data_file, tmp_path_factory):
    values = {
        "data": quick_network(data_file, "")["data"],
        "model": {"terms": [{"kind": "pair", "cutoff": 4.2, "intervals": 10}]},
        "fit": {"kappa": 0.5, "ridge": 1e-9, "curvature": 1e-6, "folds": 3},
        "output": str(tmp_path_factory.mktemp("prior") / "out"),
        "threads": 1,
        "figures": False,
    }
    return train(values)


def test_fitted_splines_are_a_prior(fitted, data_file, tmp_path):
    model = {**TINY, "prior": str(fitted.model)}
    values = quick_network(data_file, tmp_path / "out", model=model)
    done = train(values, ["training.epochs=4"])
    assert done.potential.prior.parts == ("pair", "zbl")
    # a network that has hardly learned leaves about the errors of its prior
    (row,) = done.errors["test"].select("forces", "all")
    (own,) = fitted.errors["test"].select("forces", "all")
    assert row.rmse < 2.0 * own.rmse
    assert config_from(values).model.prior == Path(fitted.model)


def test_priors_of_other_elements_are_refused(fitted, data_file, tmp_path):
    model = {**TINY, "prior": str(fitted.model), "species": ["Si", "W"]}
    with pytest.raises(InputError, match="of W, expected a potential of splines of Si, W"):
        train(quick_network(data_file, tmp_path / "out", model=model), ["data.E0s=zero"])


def test_networks_are_not_fitted_again(data_file, tmp_path):
    values = quick_network(data_file, tmp_path / "out")
    for verb in (refit, learn):
        with pytest.raises(InputError, match="mlanet, expected spline"):
            verb(values)


def test_without_torch_the_remedy_comes_first(data_file, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(MissingPartError, match=r"pip install 'trimpot\[torch\]'"):
        train(quick_network(data_file, tmp_path / "out"))


def test_command_line_trains_and_shows(data_file, tmp_path, capsys):
    from trimpot.cli.app import main

    config = tmp_path / "config.yaml"
    values = quick_network(data_file, tmp_path / "out")
    config.write_text(json.dumps(values))
    code = main(["train", str(config), "--set", "training.epochs=2", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert code == 0
    assert document["training"]["epochs"] == pytest.approx(2, abs=0.5)
    assert main(["show", document["model"]]) == 0
    assert "mlanet" in capsys.readouterr().out


def test_validation_frames_are_random_and_keep_duplicates_together(data_file):
    frames = read(data_file).frames
    doubled = (*frames, *frames)
    places = validation_places(doubled, 6, seed=1)
    assert places.sum() == 6
    assert np.array_equal(places[: len(frames)], places[len(frames) :])
    assert not np.array_equal(places, validation_places(doubled, 6, seed=2))
    assert validation_places(doubled, 0, seed=1).sum() == 0


@pytest.mark.slow
def test_two_processes_train_one_network(data_file, tmp_path):
    config = tmp_path / "config.yaml"
    values = quick_network(data_file, tmp_path / "out")
    config.write_text(json.dumps(values))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    team = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2"}
    command = [sys.executable, "-m", "trimpot.cli.app", "train", str(config)]
    runs = [
        subprocess.Popen(
            [*command, "--set", "training.epochs=2"],
            env={**os.environ, **team, "RANK": rank},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in ("0", "1")
    ]
    said = [run.communicate(timeout=120)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    assert "test forces" in said[0]
    assert said[1] == ""
    assert trimpot.load(tmp_path / "out" / "model.trimpot").species == (74,)


def test_speed_is_passed_on_to_whoever_shows_it(tmp_path):
    class Showing(Notes):
        def live(self, stage, line, short):
            self.lines.append((stage, line, short))

    showing = Showing()
    Logged(showing, tmp_path / "log.jsonl").live("training", "5 atoms/s, 3 s left", "5")
    Logged(Notes(), tmp_path / "log.jsonl").live("training", "nobody looks", "")
    assert showing.lines == [("training", "5 atoms/s, 3 s left", "5")]
