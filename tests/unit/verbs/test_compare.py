"""The verb compare: every model's errors are those of evaluate, on the same frames."""

import json
from pathlib import Path

import pytest

import trimpot
from toy_potentials import Morse
from trimpot.cli.app import main
from trimpot.errors import InputError
from trimpot.reports.comparison import best
from trimpot.verbs import compare, evaluate, train
from trimpot.verbs.comparing import names_of


@pytest.fixture(scope="module")
def two_models(data_file, tmp_path_factory):
    """The same data with and without triplets."""
    found = {}
    for name, terms in (
        ("pairs", [{"kind": "pair", "cutoff": 4.2, "intervals": 10}]),
        ("short", [{"kind": "pair", "cutoff": 3.4, "intervals": 6}]),
    ):
        values = {
            "data": {"path": str(data_file), "split": {"kind": "all"}},
            "model": {"terms": terms},
            "fit": {"kappa": 0.9, "ridge": 1e-9, "curvature": 1e-6, "folds": 3},
            "output": str(tmp_path_factory.mktemp("two") / name),
            "threads": 1,
            "figures": False,
        }
        found[name] = train(values).model
    return found


def test_errors_are_those_of_evaluate(two_models, data_file):
    result = compare(list(two_models.values()), data_file, threads=1)
    assert [m.name for m in result.models] == ["pairs", "short"]
    for model, path in zip(result.models, two_models.values(), strict=True):
        alone = evaluate(path, data_file, threads=1).tables
        assert model.tables == alone
        potential = trimpot.load(path)
        assert model.cutoff == potential.cutoff
        assert model.coefficients == sum(len(c) for c in potential.coefficients)
        assert model.microseconds is None
    pairs, short = (m.tables.select("forces", "all")[0].rmse for m in result.models)
    assert pairs < short  # the labels reach to 4.2 A


def test_tables_and_figures_with_times(two_models, data_file, tmp_path):
    folder = tmp_path / "c"
    result = compare(two_models, data_file, output=folder, time=True, atoms=54, threads=1)
    assert {p.name for p in folder.iterdir()} == {"compare.json", "compare.md", "figures"}
    figures = {p.stem for p in (folder / "figures").iterdir()}
    assert figures == {"overall", "errors_per_group", "error_and_cost"}
    document = json.loads((folder / "compare.json").read_text())
    for model in result.models:
        low, high = model.microseconds[1:]
        assert 0.0 < low <= model.microseconds[0] <= high
        assert document["models"][model.name]["us_per_atom_step"]["low"] == low
    assert "54 atoms" in document["timed_on"]
    text = (folder / "compare.md").read_text()
    for part in ("forces RMSE", "energy MAE", "hot", "isolated_atom", "us/atom/step"):
        assert part in text


def test_any_potential_can_be_compared(two_models, data_file):
    named = {"mine": Morse(isolated={74: 0.0}), "trained": two_models["pairs"]}
    result = compare(named, data_file, threads=1)
    assert [m.name for m in result.models] == ["mine", "trained"]
    assert result.models[0].coefficients is None


def test_names_are_as_short_as_they_can_be():
    def named(*texts):
        return names_of([Path(t) for t in texts])

    assert named("a/fast.trimpot", "b/best.trimpot") == ["fast", "best"]
    assert named("/r/fast/model.trimpot", "/r/best/model.trimpot") == ["fast", "best"]
    assert named("/r/a/w.trimpot", "/r/b/w.trimpot") == ["a/w", "b/w"]
    twins = ["/r/1/a/model.trimpot", "/r/2/a/model.trimpot"]
    assert named(*twins) == twins
    assert named("/r/fast/model.trimpot") == ["fast"]


def test_the_front_has_what_no_other_beats_in_both():
    costs, errors = [1.0, 2.0, 3.0, 4.0], [10.0, 12.0, 5.0, 5.0]
    assert best(costs, errors) == [0, 2]


def test_what_cannot_be_compared(two_models, data_file, tmp_path):
    from ase.io import read, write

    frame = read(data_file, 0)
    frame.numbers[0] = 29
    write(tmp_path / "cu.extxyz", frame)
    with pytest.raises(InputError, match=r"model pairs: frame 0 .*Cu"):
        compare(list(two_models.values()), tmp_path / "cu.extxyz", threads=1)
    same = [two_models["pairs"], two_models["pairs"]]
    with pytest.raises(InputError, match="given twice"):
        compare(same, data_file)
    with pytest.raises(InputError, match="at least one model"):
        compare([], data_file)


def test_the_command(two_models, data_file, tmp_path, capsys):
    models = [str(m) for m in two_models.values()]
    arguments = ["compare", *models, "--data", str(data_file), "--threads", "1"]
    assert main([*arguments, "--where", "config_type=hot"]) == 0
    shown = capsys.readouterr().out
    for part in ("pairs", "short", "forces RMSE", "hot", "coefficients"):
        assert part in shown
    assert "cold" not in shown
    assert main([*arguments, "--json", "--output", str(tmp_path / "o")]) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document["models"]) == {"pairs", "short"}
    assert document["models"]["pairs"]["errors"]["frames"] == 15
    assert main(["compare", *models]) == 2
    assert "--data" in capsys.readouterr().err
