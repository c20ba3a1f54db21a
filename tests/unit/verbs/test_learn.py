"""The verb learn: the curve ends at the fit of train, and goes on where it was stopped."""

import csv
import json

import pytest
import yaml

from trimpot.cli.app import main
from trimpot.errors import DataError, FitError, InputError
from trimpot.fitting import nesting
from trimpot.verbs import learn, learning, train


class Notes:
    def __init__(self, stop_after=None):
        self.lines = []
        self.stop_after = stop_after

    def note(self, text):
        self.lines.append(text)

    def progress(self, stage, done, total):  # noqa: ARG002
        if stage == "fits" and done == self.stop_after:
            raise KeyboardInterrupt

    @property
    def fits(self):
        return [line for line in self.lines if "test RMSE" in line]


PARTS = {"fractions": (0.4, 0.7, 1.0), "repeats": 2}


@pytest.fixture
def plain(values):
    return {**values, "fit": {**values["fit"], "anchors": False}}


def test_the_largest_size_is_the_fit_of_train(values):
    trained = train(values)
    result = learn(values, **PARTS)
    last = result.points[-1]
    assert last.frames == 11  # without the isolated atom
    assert last.strengths == trained.fit.chosen.strengths
    for quantity in ("energy", "forces", "stress"):
        (row,) = trained.errors["test"].select(quantity, "all")
        assert last.rmse[f"test_{quantity}"] == pytest.approx(row.rmse, rel=1e-5)
        assert last.mae[f"test_{quantity}"] == pytest.approx(row.mae, rel=1e-5)
    (row,) = trained.errors["train"].select("forces", "all")
    # the tables of train count the three zero forces of the isolated atom as well
    without = row.rmse * (row.values / (row.values - 3)) ** 0.5
    assert last.rmse["train_forces"] == pytest.approx(without, rel=1e-5)


def test_what_is_written(plain):
    result = learn(plain, **PARTS)
    names = {p.name for p in result.output.iterdir()}
    assert names == {
        "learning.csv",
        "learning.json",
        "learning.md",
        "log.jsonl",
        "figures",
    }
    assert result.output.name == "learning"
    rows = list(csv.DictReader((result.output / "learning.csv").read_text().splitlines()))
    assert [int(r["frames"]) for r in rows] == [4, 4, 8, 8, 11]
    document = json.loads((result.output / "learning.json").read_text())
    assert len(document["verdicts"]) == 3
    assert set(document["trends"]) == {"energy", "forces", "stress"}
    assert [len(e) for e in result.curves[0].test] == [2, 2, 1]
    first, second = result.points[0], result.points[1]
    assert first.rmse != second.rmse  # other subsets


def test_a_stopped_curve_goes_on(plain, tmp_path):
    whole = learn(plain, **PARTS, output=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        learn(plain, **PARTS, output=tmp_path / "part", watcher=Notes(stop_after=2))
    notes = Notes()
    again = learn(plain, **PARTS, output=tmp_path / "part", watcher=notes)
    assert "2 of 5 fits were done before" in "\n".join(notes.lines)
    assert len(notes.fits) == 3
    for mine, theirs in zip(again.points, whole.points, strict=True):
        assert (mine.frames, mine.repeat) == (theirs.frames, theirs.repeat)
        assert mine.rmse == pytest.approx(theirs.rmse, rel=1e-6)
    more = Notes()
    learn(plain, **{**PARTS, "repeats": 3}, output=tmp_path / "part", watcher=more)
    assert len(more.fits) == 2  # the sizes of one more repeat


def test_other_settings_and_damaged_rows_are_fitted_again(plain, tmp_path):
    learn(plain, **PARTS, output=tmp_path / "c")
    notes = Notes()
    learn(plain, ["fit.kappa=0.7"], **PARTS, output=tmp_path / "c", watcher=notes)
    assert len(notes.fits) == 5
    path = tmp_path / "c" / "learning.csv"
    header, *rows = path.read_text().splitlines()
    rows[0] = rows[0].replace("4,", "x,", 1)
    path.write_text("\n".join([header, *rows]) + "\n")
    again = Notes()
    learn(plain, ["fit.kappa=0.7"], **PARTS, output=tmp_path / "c", watcher=again)
    assert len(again.fits) == 1


def test_rows_of_a_frame_are_made_once_per_repeat(plain, monkeypatch):
    made = []
    usual = nesting.accumulate

    def counting(terms, targets, folds, **options):
        made.append(len(folds))
        return usual(terms, targets, folds, **options)

    monkeypatch.setattr(nesting, "accumulate", counting)
    learn(plain, **PARTS)
    assert made == [4, 4, 3, 4, 4]


def test_singular_fits_are_recorded_and_left_out(plain, monkeypatch):
    usual = learning.refit

    def singular_when_small(model, blocks, settings, **options):
        if blocks.total()["energy"].weight < 5:
            raise FitError("singular")
        return usual(model, blocks, settings, **options)

    monkeypatch.setattr(learning, "refit", singular_when_small)
    result = learn(plain, **PARTS)
    assert [bool(p.rmse) for p in result.points] == [False, False, True, True, True]
    assert result.curves[0].frames == (8, 11)
    notes = Notes()
    again = learn(plain, **PARTS, watcher=notes)
    assert notes.fits == []
    assert [bool(p.rmse) for p in again.points] == [False, False, True, True, True]


def test_what_cannot_be_learned_is_refused(plain, data_file):
    everything = {"path": str(data_file), "split": {"kind": "all"}}
    with pytest.raises(DataError, match="no test frames"):
        learn({**plain, "data": everything})
    with pytest.raises(InputError, match="something to choose"):
        learn(plain, ["choose.model.terms.0.cutoff=[3.6, 4.2]"])
    for wrong in ({"fractions": (0.0, 1.0)}, {"fractions": ()}, {"repeats": 0}):
        with pytest.raises(InputError, match="fractions"):
            learn(plain, **wrong)


def test_the_command(plain, tmp_path, capsys):
    path = tmp_path / "c.yaml"
    path.write_text(yaml.safe_dump(plain))
    arguments = ["learn", str(path), "--repeats", "1", "-o", str(tmp_path / "l")]
    assert main([*arguments, "--fractions", "1/2,1"]) == 0
    shown = capsys.readouterr()
    assert "training frames" in shown.out
    assert "energy:" in shown.out
    assert main([*arguments, "--fractions", "1/2,1", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [p["frames"] for p in document["points"]] == [6, 11]
    assert main([*arguments, "--fractions", "half"]) == 2
    assert "expected numbers like 1/4,1/2,1" in capsys.readouterr().err
