"""Configurations of networks: kinds of models, their own sections, their priors."""

import subprocess
import sys
from pathlib import Path

import pytest

from trimpot.config import NetworkModelSettings, config_from, load_config, to_plain, to_yaml
from trimpot.data import RandomSplit
from trimpot.envelopes import EnvelopeSettings
from trimpot.errors import InputError
from trimpot.networks.mlanet import MLANetSettings
from trimpot.networks.training import TrainingSettings
from trimpot.splines.core import CoreSettings

MINIMAL = {"data": {"path": "w.xyz"}}
NETWORK = {**MINIMAL, "model": {"kind": "mlanet"}}


def made(*overrides, **sections):
    return config_from({**NETWORK, **sections}, overrides)


def refused(match, *overrides, **sections):
    with pytest.raises(InputError, match=match):
        made(*overrides, **sections)


@pytest.mark.parametrize("model", ["mlanet", {"kind": "mlanet"}])
def test_a_kind_is_enough(model):
    config = made(model=model)
    assert config.model.network == MLANetSettings()
    assert config.model.prior == CoreSettings()
    assert config.model.species is None
    assert config.training == TrainingSettings()


def test_splines_are_the_usual_kind():
    assert config_from(MINIMAL).model.kind == "spline"
    assert config_from({**MINIMAL, "model": {"core": "off"}}).model.kind == "spline"
    assert config_from({**MINIMAL, "model": "spline"}) == config_from(MINIMAL)


def test_fields_of_the_network_and_its_envelope():
    model = {
        "kind": "mlanet",
        "cutoff": 5,
        "channels": 16,
        "pooling": ["sum", "attention"],
        "envelope": {"c_max": 1.4},
        "species": ["H", "O"],
    }
    config = made(model=model)
    expected = MLANetSettings(
        cutoff=5.0,
        channels=16,
        pooling=("sum", "attention"),
        envelope=EnvelopeSettings(c_max=1.4),
    )
    assert config.model.network == expected
    assert config.model.species == ("H", "O")
    assert made(model={"kind": "mlanet", "envelope": "off"}).model.envelope is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("off", None),
        (None, None),
        (False, None),
        ("zbl", CoreSettings()),
        ({"outer": 1.2}, CoreSettings(outer=1.2)),
        ("runs/pair/model.trimpot", Path("runs/pair/model.trimpot")),
    ],
)
def test_priors(given, expected):
    config = made(model={"kind": "mlanet", "prior": given})
    assert config.model.prior == expected
    assert config_from(to_plain(config)) == config


def test_written_configurations_load_to_the_same(tmp_path):
    config = made("model.cutoff=4.5", "training.learning_rate=0.01", seed=4)
    path = tmp_path / "config.yaml"
    path.write_text(to_yaml(config))
    assert load_config(path) == config


def test_only_what_a_kind_means_is_written():
    network, splines = to_plain(made()), to_plain(config_from(MINIMAL))
    assert "training" in network
    assert not {"fit", "choose", "cache_gb", "uncertainty"} & set(network)
    assert "fit" in splines
    assert "training" not in splines


def test_overrides():
    config = made(
        "model.layers=1",
        "model.envelope.c_min=0.2",
        "training.batch_size=2",
        "model.prior.outer=1.5",
    )
    assert config.model.layers == 1
    assert config.model.envelope.c_min == 0.2
    assert config.training.batch_size == 2
    assert config.model.prior == CoreSettings(outer=1.5)
    assert isinstance(
        config_from(MINIMAL, ["model.kind=mlanet"]).model, NetworkModelSettings
    )


def test_common_seed_goes_to_the_training():
    config = made(seed=7)
    assert config.training.seed == 7
    assert config.data.effective_split == RandomSplit(seed=7)
    assert made(seed=7, training={"seed": 1}).training.seed == 1


def test_epochs_replace_the_usual_time():
    assert made("training.epochs=30").training.seconds is None
    assert made(training={"seconds": 60}).training.epochs is None
    refused("exactly one", training={"seconds": 60, "epochs": 3})


@pytest.mark.parametrize(
    ("sections", "match"),
    [
        ({"fit": {"kappa": 0.5}}, "fit belongs to models of kind spline, found model.kind"),
        ({"choose": {"model.cutoff": [5.0, 6.0]}}, "choose belongs to models of kind spl"),
        ({"uncertainty": False}, "uncertainty belongs to models of kind spline"),
        ({"model": "spline", "training": {"epochs": 3}}, "training belongs to models of"),
        ({"model": {"kind": "mlanet", "terms": ["pair"]}}, "unknown key model.terms"),
        ({"model": {"kind": "mlanet", "layrs": 3}}, "did you mean model.layers"),
        ({"model": {"kind": "mlanet", "layers": 0}}, "layers: found 0, expected 1 to 8"),
        ({"model": {"kind": "mlanet", "channels": 6}}, "6 channels for 4 poolings"),
        ({"model": {"kind": "mlanet", "prior": 3}}, "model.prior: found 3, expected"),
        ({"model": {"kind": "mlnet"}}, "did you mean mlanet"),
        ({"training": {"optimizer": "sgd"}}, "training.optimizer: found 'sgd'"),
        ({"training": {"learning_rate": -1.0}}, "learning_rate: found -1.0"),
    ],
)
def test_mistakes_are_named(sections, match):
    refused(match, **sections)


def test_settings_need_no_torch():
    code = (
        "import sys\n"
        "sys.modules['torch'] = None\n"
        "from trimpot.config import config_from\n"
        "import trimpot.verbs.training\n"
        "config_from({'data': {'path': 'x'}, 'model': 'mlanet'})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
