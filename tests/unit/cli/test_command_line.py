import json
import os
import signal
import subprocess
import sys
import time

import pytest
import yaml

import trimpot
from trimpot.cli.app import main

VERBS = (
    *("train", "evaluate", "compare", "learn", "show", "singlepoint", "relax", "md"),
    *("validate", "report", "suites", "serve", "bench", "export", "import", "info"),
)


@pytest.fixture
def config(values, tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


@pytest.fixture
def model(trained):
    return str(trained.model)


@pytest.mark.parametrize("verb", VERBS)
def test_help_ends_with_an_example(verb, capsys):
    assert main([verb, "--help"]) == 0
    text = capsys.readouterr().out
    assert f"trimpot {verb}" in text[text.index("Example") :]
    assert "--json" in text


def test_unknown_instruction_set_is_wrong_usage(monkeypatch, capsys):
    monkeypatch.setenv("TRIMPOT_INSTRUCTION_SET", "mmx")
    assert main(["info"]) == 2
    assert "choose one of" in capsys.readouterr().err


def test_help_lists_every_verb(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(verb in text for verb in VERBS)


def test_train_prints_errors_places_and_next_steps(config, values, capsys):
    assert main(["train", str(config), "--set", "fit.kappa=0.9"]) == 0
    shown = capsys.readouterr()
    for part in ("RMSE on 3 test frames", "model.trimpot", "next: trimpot show"):
        assert part in shown.out
    assert "12 training and 3 test frames" in shown.err
    assert trimpot.load(f"{values['output']}/model.trimpot").species == (74,)


def test_train_json_is_one_document(config, values, capsys):
    assert main(["train", str(config), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["model"] == f"{values['output']}/model.trimpot"
    assert document["errors"]["test"]["frames"] == 3
    assert document["fit"]["choices"] == 4


def test_print_config_is_a_configuration(config, tmp_path, capsys):
    assert main(["train", str(config), "--print-config"]) == 0
    text = capsys.readouterr().out
    (tmp_path / "full.yaml").write_text(text)
    assert main(["train", str(tmp_path / "full.yaml"), "--print-config"]) == 0
    assert capsys.readouterr().out == text
    assert main(["train", str(config), "--print-config", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == yaml.safe_load(text)


def test_refit(config, values, capsys):
    assert main(["train", str(config)]) == 0
    assert main(["train", str(config), "--refit", "--set", "fit.kappa=0.5"]) == 0
    shown = capsys.readouterr()
    assert "no data are read" in shown.err
    assert "fitted again without data" in shown.out
    facts = trimpot.load(f"{values['output']}/model.trimpot").provenance
    assert facts["fit"]["strengths"]["kappa"] == 0.5


def test_candidates_are_printed_best_first(config, capsys):
    lists = "choose.model.terms.0.cutoff=[3.6, 4.2]"
    assert main(["train", str(config), "--set", lists]) == 0
    shown = capsys.readouterr()
    assert "candidate 2 of 2: model.terms.0.cutoff=4.2" in shown.err
    first, second = (shown.out.index(f"model.terms.0.cutoff={c}") for c in (4.2, 3.6))
    assert first < second
    assert "chosen from 2 candidates: model.terms.0.cutoff=4.2" in shown.out
    assert main(["train", str(config), "--set", lists, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [c["values"]["model.terms.0.cutoff"] for c in document["candidates"]] == [
        4.2,
        3.6,
    ]


def test_a_stage_that_begins_again_has_a_new_bar():
    from trimpot.cli.terminal import Terminal

    with Terminal() as terminal:
        for done in (1, 2, 1):
            terminal.progress("rows", done, 2)
        (task,) = terminal.bars.tasks
        assert not task.finished
        assert task.completed == 1


def test_evaluate(model, data_file, tmp_path, capsys):
    capsys.readouterr()
    arguments = ["evaluate", model, str(data_file), "--output", str(tmp_path / "j")]
    assert main([*arguments, "--where", "fold=3", "--where", "fold=1"]) == 0
    shown = capsys.readouterr()
    for part in ("energy (meV/atom)", "forces", "element W", "stress (GPa)"):
        assert part in shown.out
    assert (tmp_path / "j" / "figures" / "parity.png").exists()
    assert main([*arguments, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["errors"]["frames"] == 15
    assert document["output"] == str(tmp_path / "j")


def test_evaluate_reads_other_keys(model, frames, tmp_path, capsys):
    from ase.io import write

    renamed = frames[0].copy()
    renamed.info["my_energy"] = frames[0].get_potential_energy()
    renamed.arrays["my_forces"] = frames[0].get_forces()
    write(tmp_path / "r.extxyz", renamed)
    keys = ["--set", "keys.energy=my_energy", "--set", "keys.forces=my_forces"]
    assert main(["evaluate", model, str(tmp_path / "r.extxyz"), *keys]) == 0
    assert (
        main(["evaluate", model, str(tmp_path / "r.extxyz"), "--set", "kys.energy=x"]) == 2
    )
    assert "did you mean keys?" in capsys.readouterr().err


def test_show(model, tmp_path, capsys):
    capsys.readouterr()
    assert main(["show", model, "--output", str(tmp_path / "s")]) == 0
    shown = capsys.readouterr()
    assert "# Model card: model.trimpot" in shown.out
    assert (tmp_path / "s" / "figures" / "pair_curves.png").exists()
    assert main(["show", model, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["species"] == ["W"]


def test_info(capsys):
    assert main(["info", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["trimpot"] == trimpot.__version__
    assert facts["threads"] >= 1
    assert facts["instruction_set"] in facts["instruction_sets"]
    assert main(["info"]) == 0
    assert "instruction set" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["nope"], "No such command"),
        (["train"], "Missing argument"),
        (["train", "none.yaml"], "cannot read the configuration"),
        (["train", "none.yaml", "--st"], "No such option"),
        (["show", "none.trimpot"], "there is no file"),
        (["evaluate", "none.trimpot", "x"], "there is no file"),
        (["evaluate", "none.trimpot", "x", "--where", "fold"], "expected FIELD=VALUE"),
        (["evaluate", "none.trimpot", "x", "--threads", "-1"], "'--threads'"),
    ],
)
def test_wrong_usage_is_code_two_in_one_block(arguments, match, capsys):
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert match in shown.err
    assert "Traceback" not in shown.err
    assert shown.out == ""


def test_errors_are_json_too_when_asked(capsys):
    assert main(["show", "none.trimpot", "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["kind"] == "InputError"
    assert "none.trimpot" in error["message"]


def test_traceback_on_request(capsys):
    assert main(["show", "none.trimpot", "--traceback"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_internal_errors_are_code_one_with_traceback(monkeypatch, capsys):
    def broken():
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("trimpot.verbs.machine.machine_facts", broken)
    assert main(["info"]) == 1
    shown = capsys.readouterr()
    assert "Traceback" in shown.err
    assert "internal error (ZeroDivisionError): oops" in shown.err


def test_trouble_with_files_is_no_fault_of_trimpot(monkeypatch, capsys):
    def full():
        raise OSError(28, "No space left on device", "x.png")

    monkeypatch.setattr("trimpot.verbs.machine.machine_facts", full)
    assert main(["info"]) == 2
    assert "No space left on device" in capsys.readouterr().err


def test_progress_bars_are_quiet_without_a_terminal(config, capsys):
    assert main(["train", str(config)]) == 0
    shown = capsys.readouterr()
    assert "━" not in shown.err
    assert "\r" not in shown.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_runs_leave_no_partial_files(number, tmp_path):
    code = (
        "import sys, time, threading\n"
        "from trimpot.files import atomic_write\n"
        "import trimpot.verbs.machine as machine\n"
        "def slow():\n"
        "    with atomic_write(sys.argv[1]) as handle:\n"
        "        handle.write(b'half'); print('ready', flush=True); time.sleep(60)\n"
        "machine.machine_facts = slow\n"
        "from trimpot.cli.app import main\n"
        "sys.exit(main(['info']))\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as run:
        assert run.stdout.readline() == "ready\n"
        time.sleep(0.05)
        os.kill(run.pid, number)
        _, errors = run.communicate()
    assert run.returncode == 128 + number
    assert "stopped" in errors
    assert list(tmp_path.iterdir()) == []


def test_import_is_light():
    heavy = ("ase", "matplotlib", "typer", "scipy", "pydantic", "rich", "numpy")
    code = f"import sys, trimpot; print([m for m in {heavy} if m in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )
    assert run.stdout.strip() == "[]"


def test_public_names_are_there():
    assert set(trimpot.__all__) <= set(dir(trimpot))
    for name in trimpot.__all__:
        assert getattr(trimpot, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        trimpot.trian  # noqa: B018
