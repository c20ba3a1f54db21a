import csv
import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from ase.io import read as ase_read
from ase.io import write as ase_write

import trimpot
from trimpot.config import config_from, load_config
from trimpot.data import read
from trimpot.errors import DataError, FileFormatError, FitError, InputError, WriteError
from trimpot.verbs import refit, train
from trimpot.verbs.fitting_cached import BLOCKS_FILE

FIGURES = {
    "parity",
    "errors_per_group",
    "pair_curves",
    "triplet_slices",
    "cross_validation",
    "uncertainty",
}


class Notes:
    def __init__(self):
        self.lines = []
        self.stages = {}

    def note(self, text):
        self.lines.append(text)

    def progress(self, stage, done, total):
        assert 0 < done <= total
        self.stages[stage] = (done, total)

    @property
    def text(self):
        return "\n".join(self.lines)


def same_coefficients(first, second):
    pairs = zip(first.potential.coefficients, second.potential.coefficients, strict=True)
    return all(a.tobytes() == b.tobytes() for a, b in pairs)


@pytest.fixture
def notes():
    return Notes()


def test_writes_everything_that_a_user_looks_for(trained):
    names = {p.name for p in trained.output.iterdir()}
    expected = "model.trimpot config.yaml log.jsonl metrics.csv errors.json errors.md"
    others = {"card.md", "report.html", "figures", "uncertainty.json", BLOCKS_FILE}
    assert names == {*expected.split(), *others}
    assert {p.stem for p in (trained.output / "figures").iterdir()} == FIGURES


def test_saved_potential_is_the_returned_one(trained, data_file):
    structures = [f.structure for f in read(data_file)]
    loaded = trimpot.load(trained.model).evaluate_many(structures)
    returned = trained.potential.evaluate_many(structures)
    for a, b in zip(loaded, returned, strict=True):
        assert a.energies.tobytes() == b.energies.tobytes()
        assert a.forces.tobytes() == b.forces.tobytes()


def test_fit_is_better_than_no_model(trained, frames):
    forces = np.concatenate([f.get_forces().ravel() for f in frames])
    (row,) = trained.errors["train"].select("forces", "all")
    assert row.rmse < 0.3 * 1e3 * forces.std()


def test_errors_match_an_independent_calculation(trained, frames):
    calculator = trimpot.Calculator(trained.potential)
    residuals = []
    for theirs in (f for f in frames if f.info["fold"] == 3):
        mine = theirs.copy()
        mine.calc = calculator
        difference = mine.get_potential_energy() - theirs.get_potential_energy()
        residuals.append(1e3 * difference / len(mine))
    (row,) = trained.errors["test"].select("energy", "all")
    # The file that was read holds eight decimals.
    expected = np.sqrt(np.mean(np.square(residuals)))
    assert row.rmse == pytest.approx(expected, abs=1e-5)
    recorded = json.loads((trained.output / "errors.json").read_text())
    assert recorded["test"]["rows"][0]["rmse"] == pytest.approx(row.rmse)


def test_notes_say_what_was_read_split_and_chosen(values, notes):
    train(values, watcher=notes)
    for part in (
        "15 frames",
        "12 training and 3 test frames",
        "E0s (isolated atoms)",
        "needs about",
        "chosen from 4 by cross-validation",
        "held-out RMSE",
        "rank",
    ):
        assert part in notes.text
    for stage in ("rows", "cross-validation", "errors on train", "errors on test"):
        done, total = notes.stages[stage]
        assert done == total


def test_log_is_json_lines_with_the_configuration(trained):
    lines = (trained.output / "log.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    assert events[0]["event"] == "config"
    assert events[0]["config"]["fit"]["folds"] == 3
    assert {"note", "stage"} <= {e["event"] for e in events}
    assert [e["seconds"] for e in events] == sorted(e["seconds"] for e in events)


def test_metrics_hold_every_choice_best_first(trained):
    with (trained.output / "metrics.csv").open() as table:
        rows = list(csv.DictReader(table))
    assert len(rows) == 4
    scores = [float(row["score"]) for row in rows]
    assert scores == sorted(scores)
    assert float(rows[0]["kappa"]) == trained.fit.chosen.strengths.kappa
    assert float(rows[0]["rmse_energy"]) == trained.fit.chosen.rmse["energy"]


def test_written_configuration_repeats_the_run(values, tmp_path):
    first = train(values)
    again = train(first.output / "config.yaml", [f"output={tmp_path / 'again'}"])
    for a, b in zip(
        first.potential.coefficients, again.potential.coefficients, strict=True
    ):
        assert np.array_equal(a, b)
    assert load_config(first.output / "config.yaml") == config_from(values)


def test_provenance_is_in_the_file(trained, data_file):
    facts = trimpot.load(trained.model).provenance
    assert facts["trimpot"] == trimpot.__version__
    assert facts["data"]["files"] == [str(data_file)]
    assert facts["data"]["sha256"] == read(data_file).fingerprint
    assert facts["data"]["training_frames"] == 12
    assert facts["config"]["fit"]["folds"] == 3
    assert facts["errors"]["test"]["frames"] == 3
    assert facts["fit"]["conditions"]["n_coefficients"] > 0


def test_same_run_gives_the_same_file(values, tmp_path):
    first = train(values).model.read_bytes()
    again = train({**values, "output": str(tmp_path / "out")})
    assert again.model.read_bytes() == first


def test_second_run_reuses_the_rows(values, notes):
    first = train(values)
    changed = {**values, "fit": {**values["fit"], "kappa": [0.5, 0.7, 0.9]}}
    second = train(changed, watcher=notes)
    assert "are reused" in notes.text
    assert "rows" not in notes.stages
    assert len(second.fit.selection.trials) == 6
    assert first.fit.blocks.coverage.tobytes() == second.fit.blocks.coverage.tobytes()


@pytest.mark.parametrize(
    "override",
    [
        "model.terms.0.intervals=11",
        "fit.weights={hot: {forces: 2}}",
        "fit.folds=4",
        "fit.seed=5",
        "fit.stress_weight=0",
        "fit.anchors=false",
        "data.E0s={W: -1}",
        "data.split.train=[0, 1]",
        "model.core=off",
    ],
)
def test_rows_are_made_again_when_they_differ(override, values, notes):
    train(values)
    train(values, [override], watcher=notes)
    assert "it is replaced" in notes.text
    assert "rows" in notes.stages


def test_changed_labels_make_new_rows(values, notes, data_file, tmp_path):
    atoms = ase_read(data_file, ":")
    atoms[0].calc.results["energy"] += 0.01
    ase_write(tmp_path / "other.extxyz", atoms)
    train(values)
    train(values, [f"data.path={tmp_path / 'other.extxyz'}"], watcher=notes)
    assert "it is replaced" in notes.text


def test_refit_needs_no_data(values, data_file, tmp_path, notes):
    (tmp_path / "data.extxyz").write_bytes(data_file.read_bytes())
    values["data"]["path"] = str(tmp_path / "data.extxyz")
    full = train(values, ["fit.kappa=0.9", "fit.curvature=1e-6"])
    (tmp_path / "data.extxyz").unlink()
    again = refit(values, ["fit.kappa=0.9", "fit.curvature=1e-6"], watcher=notes)
    assert same_coefficients(full, again)
    assert "no data are read" in notes.text
    anchors = again.potential.provenance["fit"]["anchors"]
    assert anchors == full.potential.provenance["fit"]["anchors"]
    assert anchors["inequalities"] > 100
    assert f"{anchors['inequalities']} inequalities of anchors" in notes.text
    facts = trimpot.load(again.model).provenance
    assert facts["data"]["training_frames"] == 12
    assert facts["errors"] == {}


def test_refit_removes_errors_of_the_earlier_model(values):
    output = train(values, ["figures=true"]).output
    refit(values, ["fit.kappa=0.5", "figures=true"])
    assert not (output / "errors.json").exists()
    assert not (output / "figures" / "parity.png").exists()
    assert (output / "figures" / "pair_curves.png").exists()
    refit(values, ["fit.kappa=0.9"])
    assert not list((output / "figures").iterdir())
    assert not (output / "report.html").exists()


def test_refit_refuses_other_settings(values, tmp_path):
    with pytest.raises(InputError, match="train once"):
        refit(values)
    output = train(values).output
    before = (output / "log.jsonl").read_bytes(), (output / "model.trimpot").read_bytes()
    with pytest.raises(InputError, match=r"settings of model .*train without refit"):
        refit(values, ["model.terms.0.cutoff=4"])
    with pytest.raises(InputError, match="settings of fit"):
        refit(values, ["fit.folds=5"])
    after = (output / "log.jsonl").read_bytes(), (output / "model.trimpot").read_bytes()
    assert before == after
    assert not (tmp_path / "none").exists()


def test_damaged_blocks_are_refused(values):
    output = train(values).output
    blocks = output / BLOCKS_FILE
    blocks.write_bytes(blocks.read_bytes()[:-8])
    with pytest.raises(FileFormatError, match="delete the file and train again"):
        refit(values)


def test_damaged_blocks_are_replaced_by_a_new_run(values, notes):
    blocks = train(values).output / BLOCKS_FILE
    blocks.write_bytes(b"rubbish")
    train(values, watcher=notes)
    assert "it is replaced" in notes.text
    assert refit(values).fit.blocks.n_columns > 0


def full_after(appends, monkeypatch):
    """Make appending fail as a full disk does, after so many times."""
    real, made = Path.open, []

    def full(path, mode="r", *arguments, **options):
        if mode == "ab":
            made.append(path)
            if len(made) > appends:
                raise OSError(28, "No space left on device")
        return real(path, mode, *arguments, **options)

    monkeypatch.setattr(Path, "open", full)


def test_disk_that_is_full_at_the_start_stops_the_run(values, monkeypatch):
    full_after(0, monkeypatch)
    with pytest.raises(WriteError, match=r"No space left on device; .*; free space"):
        train(values)


def test_log_without_room_does_not_stop_the_work(values, monkeypatch, notes):
    full_after(3, monkeypatch)
    result = train(values, watcher=notes)
    assert notes.text.count("warning: cannot write") == 1
    assert result.model.exists()
    lines = (result.output / "log.jsonl").read_text().splitlines()
    assert json.loads(lines[0])["event"] == "config"
    assert len(lines) == 3


def test_large_blocks_are_not_kept(values, notes):
    output = train(values).output
    train(values, ["cache_gb=0", "fit.folds=4"], watcher=notes)
    assert "are not kept" in notes.text
    assert not (output / BLOCKS_FILE).exists()


def test_only_selected_frames_are_read(values):
    result = train(values, ["data.where={config_type: [hot, isolated_atom]}"])
    groups = result.errors["train"].select("energy", "config_type")
    assert {row.group for row in groups} == {"hot", "isolated_atom"}


def test_separate_test_file(values, data_file):
    values["data"] = {"path": str(data_file), "test": str(data_file)}
    result = train(values)
    assert result.errors["train"].frames == result.errors["test"].frames == 15


def test_without_test_frames_the_verdict_says_so(values):
    from trimpot.verbs.reporting import closing_lines

    result = train(values, ["data.split=all"])
    assert set(result.errors) == {"train"}
    assert "no test frames: these errors flatter" in closing_lines(result)[0]


def test_least_squares_energies_are_refined(values):
    result = train(values, ["data.E0s=least_squares"])
    assert result.fit.blocks.n_columns == 1 + sum(
        map(len, result.potential.coefficients[1:])
    )


def test_species_can_be_given(values):
    result = train(values, ["model.species=[W, Si]", "data.E0s={W: 0, Si: 0}"])
    assert result.potential.species == (14, 74)
    with pytest.raises(InputError, match="also contain W"):
        train(values, ["model.species=[Si]"])


@pytest.mark.parametrize(
    ("override", "error", "match"),
    [
        ("data.path=none.xyz", InputError, "no file matches"),
        ("data.split.field=fould", DataError, "fould"),
        ("model.terms=[]", FitError, "nothing to fit"),
        ("model.terms.0.cutoff=-1", InputError, r"model\.terms\.0 \(pair\)"),
        ("model.terms.1.intervals=2", InputError, r"model\.terms\.1 \(triplet\)"),
        ("fit.kappa=[]", InputError, "at least one candidate"),
        ("fit.weights={cool: {energy: 2}}", DataError, "cool"),
        ("output=/dev/null/x", WriteError, "cannot make the folder"),
    ],
)
def test_mistakes_stop_the_run(override, error, match, values):
    with pytest.raises(error, match=match):
        train(values, [override])


def test_too_large_models_are_refused_before_the_run(values, monkeypatch):
    monkeypatch.setattr("trimpot.verbs.memory.total_memory", lambda: 10_000)
    with pytest.raises(FitError, match="tie trios"):
        train(values)


def test_resolved_configuration_takes_no_overrides(values):
    with pytest.raises(InputError, match=r"dataclasses\.replace"):
        train(config_from(values), ["threads=1"])


def test_python_and_file_give_the_same(values, tmp_path):
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(values))
    a, b = train(tmp_path / "c.yaml"), train(config_from(values))
    assert a.model.read_bytes() == b.model.read_bytes()
