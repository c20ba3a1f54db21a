"""The command ``trimpot init``."""

import inspect
import json

from trimpot.cli import init as command
from trimpot.cli.app import main
from trimpot.config import load_config
from trimpot.verbs.initializing import init


def test_it_writes_what_it_prints(data_file, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["init", str(data_file), "--threads", "1"]) == 0
    printed = capsys.readouterr()
    text = (tmp_path / "config.yaml").read_text()
    assert printed.out.startswith(text)
    assert "coefficients from" in printed.err
    assert load_config(tmp_path / "config.yaml").data.path == (str(data_file),)
    assert main(["init", str(data_file), "--threads", "1"]) == 2
    assert "--force" in capsys.readouterr().err


def test_json_lists_the_choices(data_file, tmp_path, capsys):
    path = tmp_path / "fast.yaml"
    arguments = ["--recipe", "fast", "--output", str(path), "--threads", "1", "--json"]
    assert main(["init", str(data_file), *arguments]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["path"] == str(path)
    values = {c["key"]: c["value"] for c in document["choices"]}
    assert values["data.E0s"] == "isolated"
    assert values["model.terms.1"]["kind"] == "density"
    assert document["forecast"]["coefficients"] > 0


def test_defaults_of_the_help_are_those_of_the_verb():
    shown = inspect.signature(command.init).parameters
    real = inspect.signature(init).parameters
    for name in ("recipe", "output", "force", "threads"):
        assert shown[name].default == real[name].default
