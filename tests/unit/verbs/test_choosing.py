"""Cross-validation among settings of the model: it finds the truth, once, from training."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write as ase_write

import trimpot
from spline_samples import greville
from trimpot.config import config_from, load_config
from trimpot.contract import Structure
from trimpot.engines.singlepoint import evaluate
from trimpot.envelopes import EnvelopeSettings
from trimpot.errors import DataError, FileFormatError, FitError, InputError
from trimpot.splines.pair_settings import PairSettings
from trimpot.splines.potential import SplinePotential
from trimpot.splines.profile import PairProfile
from trimpot.verbs import choosing, refit, show, train
from trimpot.verbs.candidates import CANDIDATES_FILE, read_candidates
from trimpot.verbs.fitting_cached import BLOCKS_FILE

TRUE = {"c_min": 0.45, "c_max": 1.5}
OTHERS = [{"c_min": 0.3, "c_max": 1.2}, None]
KEY = "model.terms.0.envelope"


class Notes:
    def __init__(self):
        self.lines = []
        self.candidates = []

    def note(self, text):
        self.lines.append(text)

    def progress(self, stage, done, total):
        if stage == "candidates":
            self.candidates.append((done, total))

    @property
    def text(self):
        return "\n".join(self.lines)


class Killed(BaseException):
    """What a signal raises."""


@pytest.fixture
def notes():
    return Notes()


def screened_potential(c_min, c_max, cutoff):
    """Screened pairs whose curve is that of a Morse potential."""
    profile = PairProfile((74,), np.full((1, 1), 2.0), np.zeros((1, 1, 10)), 6.0)
    pair = PairSettings(
        cutoff=cutoff,
        intervals=12,
        repulsive=False,
        envelope=EnvelopeSettings(c_min=c_min, c_max=c_max),
    )
    term = pair.build((74,), profile)
    r = greville(term.inner.curves[0].knots)[: term.n_coefficients]
    fall = np.exp(-1.4 * (r - 2.7))
    c = 0.4 * np.minimum(fall * (fall - 2.0), 8.0)
    return SplinePotential((74,), (term,), (c,))


def data_with(potential, path, *, count=24, seed=5):
    """Rattled crystals with the potential's energies and forces; every fourth is a test."""
    rng = np.random.default_rng(seed)
    frames = []
    for number in range(count):
        a = 3.1 * (1.0 + 0.05 * rng.normal())
        atoms = bulk("W", "bcc", a=a, cubic=True) * (2, 2, 1)
        atoms.positions += 0.25 * rng.normal(size=atoms.positions.shape)
        structure = Structure(
            atoms.numbers.astype(np.int32), atoms.positions, atoms.cell.array, atoms.pbc
        )
        found = evaluate(potential, structure, threads=1)
        atoms.calc = SinglePointCalculator(atoms, energy=found.energy, forces=found.forces)
        atoms.info["fold"] = number % 4
        frames.append(atoms)
    ase_write(path, frames)
    return path


@pytest.fixture(scope="session")
def screened_data(tmp_path_factory):
    return data_with(
        screened_potential(**TRUE, cutoff=4.8), tmp_path_factory.mktemp("s") / "w.extxyz"
    )


def configuration(path, output, choose):
    return {
        "data": {
            "path": str(path),
            "E0s": {"W": 0},
            "split": {"kind": "field", "field": "fold", "train": [0, 1, 2], "test": 3},
        },
        "model": {
            "terms": [{"kind": "pair", "cutoff": 4.8, "intervals": 12, "repulsive": False}],
            "core": "off",
        },
        "fit": {
            "kappa": [0.5, 0.9],
            "ridge": 1e-12,
            "curvature": [1e-12, 1e-9],
            "folds": 3,
            "anchors": False,
        },
        "choose": choose,
        "output": str(output),
        "threads": 1,
        "figures": False,
    }


@pytest.fixture
def values(screened_data, tmp_path):
    return configuration(screened_data, tmp_path / "out", {KEY: [*OTHERS, TRUE]})


@pytest.fixture(scope="session")
def chosen(screened_data, tmp_path_factory):
    """A finished choice that tests only look at."""
    output = tmp_path_factory.mktemp("chosen") / "out"
    values = configuration(screened_data, output, {KEY: [*OTHERS, TRUE]})
    return train({**values, "figures": True})


def rows_of(output):
    with (output / CANDIDATES_FILE).open() as table:
        return list(csv.DictReader(table))


def same_coefficients(first, second):
    pairs = zip(first.potential.coefficients, second.potential.coefficients, strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def without_seconds(candidates):
    return [(c.values, c.rmse, c.score, c.strengths) for c in candidates]


def test_the_envelope_that_made_the_data_is_chosen(chosen):
    best, *rest = chosen.candidates
    assert best.values == {KEY: TRUE}
    assert all(best.score < 0.1 * other.score for other in rest)
    (row,) = chosen.errors["test"].select("forces", "all")
    assert row.rmse < 2.0  # meV/A: the model can be exact


def test_the_cutoff_that_made_the_data_is_chosen(tmp_path):
    path = data_with(screened_potential(0.3, 1.2, cutoff=4.2), tmp_path / "w.extxyz")
    envelope = {"c_min": 0.3, "c_max": 1.2}
    cutoffs = {"model.terms.0.cutoff": [3.6, 4.2, 5.4], KEY: [envelope]}
    result = train(configuration(path, tmp_path / "out", cutoffs))
    assert result.candidates[0].values == {"model.terms.0.cutoff": 4.2, KEY: envelope}


def test_the_result_is_that_of_a_run_with_the_chosen_settings(chosen, values, tmp_path):
    values["model"]["terms"][0]["envelope"] = TRUE
    plain = train({**values, "choose": {}, "output": str(tmp_path / "plain")})
    assert same_coefficients(chosen, plain)
    assert plain.fit.chosen == chosen.fit.chosen
    assert chosen.candidates[0].score == chosen.fit.chosen.score
    assert chosen.candidates[0].strengths == chosen.fit.chosen.strengths


def test_what_is_saved_records_the_choice(chosen):
    saved = load_config(chosen.output / "config.yaml")
    assert saved.choose == {}
    assert saved.model.terms[0].envelope == EnvelopeSettings(**TRUE)
    facts = trimpot.load(chosen.model).provenance
    assert facts["config"]["model"]["terms"][0]["envelope"]["c_min"] == TRUE["c_min"]
    compared = facts["candidates"]
    assert compared[0]["values"] == {KEY: TRUE}
    assert len(compared) == 3
    assert {"coefficients", "rmse", "score", "strengths", "seconds"} <= set(compared[0])
    assert all(set(c["rmse"]) == {"energy", "forces"} for c in compared)


def test_people_see_all_candidates(chosen):
    settings = f"{KEY}={{c_min: 0.45, c_max: 1.5}}"
    for name in ("card.md", "report.html"):
        text = (chosen.output / name).read_text()
        assert settings in text
        assert f"{KEY}=null" in text
    card = show(chosen.model).card
    assert "candidates, best first" in card
    rows = rows_of(chosen.output)
    assert rows[0][KEY] == "{c_min: 0.45, c_max: 1.5}"
    scores = [float(row["score"]) for row in rows]
    assert scores == sorted(scores)
    assert {row["coefficients"] for row in rows} == {"12"}
    assert float(rows[0]["rmse_forces"]) == chosen.candidates[0].rmse["forces"]


def test_the_watcher_hears_of_every_candidate(values, notes):
    train(values, watcher=notes)
    assert notes.candidates == [(1, 3), (2, 3), (3, 3)]
    assert f"candidate 2 of 3: {KEY}=null" in notes.text
    assert f"chosen from 3 candidates: {KEY}={{c_min: 0.45" in notes.text


def test_only_the_blocks_of_the_chosen_settings_stay(values):
    result = train(values)
    stored = {p.name for p in result.output.iterdir() if "blocks" in p.name}
    assert stored == {BLOCKS_FILE}
    assert same_coefficients(refit(result.output / "config.yaml"), result)


def test_rows_are_made_once_per_candidate(values, monkeypatch):
    made = counted(monkeypatch)
    train(values)
    assert made == [1, 1, 1]
    train(values)
    assert made == [1, 1, 1]


def counted(monkeypatch, *, stop_after=None):
    """Count the passes over the data; raise Killed instead of one too many."""
    made = []
    real = choosing.gathered

    def gathered(*arguments, **options):
        if len(made) == stop_after:
            raise Killed
        made.append(1)
        return real(*arguments, **options)

    monkeypatch.setattr(choosing, "gathered", gathered)
    return made


@pytest.mark.parametrize("stop_after", [0, 1, 2])
def test_a_killed_run_goes_on_where_it_was(stop_after, values, notes, monkeypatch, chosen):
    with monkeypatch.context() as patch, pytest.raises(Killed):
        counted(patch, stop_after=stop_after)
        train(values)
    made = counted(monkeypatch)
    result = train(values, watcher=notes)
    assert len(made) == 3 - stop_after
    assert notes.text.count("(done before)") == stop_after
    assert without_seconds(result.candidates) == without_seconds(chosen.candidates)
    assert same_coefficients(result, chosen)


def test_every_candidate_is_recorded_at_once(values, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(Killed):
        counted(patch, stop_after=2)
        train(values)
    output = config_from(values).output
    assert len(rows_of(output)) == 2
    assert {p.name for p in output.iterdir()} == {CANDIDATES_FILE, BLOCKS_FILE, "log.jsonl"}


def test_more_candidates_take_only_what_is_new(values, monkeypatch):
    train(values)
    made = counted(monkeypatch)
    values["choose"][KEY].insert(0, {"c_min": 0.6, "c_max": 1.5})
    result = train(values)
    assert len(made) == 1
    assert len(result.candidates) == 4
    assert result.candidates[0].values == {KEY: TRUE}


@pytest.mark.parametrize(
    "override",
    ["fit.ridge=1e-11", "fit.folds=4", "fit.seed=1", "model.terms.0.intervals=9"],
)
def test_other_settings_are_fitted_again(override, values, monkeypatch):
    train(values)
    made = counted(monkeypatch)
    train(values, [override])
    # where only strengths differ, the stored blocks of the chosen settings still hold
    assert len(made) == (2 if "ridge" in override else 3)


def test_anchors_do_not_change_the_scores(values, monkeypatch, chosen):
    made = counted(monkeypatch)
    result = train(values, ["fit.anchors=true"])
    assert len(made) == 3
    assert without_seconds(result.candidates) == without_seconds(chosen.candidates)
    assert result.potential.provenance["fit"]["anchors"]["inequalities"] > 0
    train(values, ["fit.anchors=false"])
    assert len(made) == 3


def test_a_damaged_record_is_fitted_again(values, monkeypatch):
    output = train(values).output
    path = output / CANDIDATES_FILE
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:2], lines[2].replace(",12,", ",x,"), "rubbish"]))
    made = counted(monkeypatch)
    assert len(train(values).candidates) == 3
    assert len(made) == 2
    path.write_bytes(b"\xff\x00")
    assert read_candidates(path) == {}


def test_test_frames_are_never_seen(values, screened_data, tmp_path, chosen):
    from ase.io import read as ase_read

    frames = ase_read(screened_data, ":")
    for atoms in frames:
        if atoms.info["fold"] == 3:  # another crystal with absurd labels
            atoms.positions *= 0.8
            atoms.cell *= 0.8
            atoms.calc.results["energy"] += 1e3
            atoms.calc.results["forces"] *= -7.0
    ase_write(tmp_path / "other.extxyz", frames)
    result = train(values, [f"data.path={tmp_path / 'other.extxyz'}"])
    assert without_seconds(result.candidates) == without_seconds(chosen.candidates)
    assert same_coefficients(result, chosen)
    rows, others = rows_of(result.output), rows_of(chosen.output)
    assert [r["fingerprint"] for r in rows] == [r["fingerprint"] for r in others]


def test_all_candidates_are_judged_on_the_same_folds(values, monkeypatch):
    seen = []
    real = choosing.select

    def select(model, blocks, settings, **options):
        weights = [{q: b.weight for q, b in fold.items()} for fold in blocks.folds]
        squares = [{q: b.square for q, b in fold.items()} for fold in blocks.folds]
        seen.append((weights, squares))
        return real(model, blocks, settings, **options)

    monkeypatch.setattr(choosing, "select", select)
    train(values)
    assert len(seen) == 3
    assert seen[0] == seen[1] == seen[2]


def test_scores_share_one_measure_where_fixed_terms_differ(values):
    """A core changes what is left to fit, and with it the spread of the targets."""
    values["choose"] = {"model.core": [None, {"kind": "zbl", "outer": 2.6}]}
    first, second = train(values).candidates
    ratio = np.sqrt(
        first.rmse["energy"]
        * first.rmse["forces"]
        / (second.rmse["energy"] * second.rmse["forces"])
    )
    assert first.score / second.score == pytest.approx(ratio, rel=1e-12)


def test_blocks_too_large_for_the_folder_stay_in_memory(values, chosen, notes, monkeypatch):
    made = counted(monkeypatch)
    result = train(values, ["cache_gb=0"], watcher=notes)
    assert len(made) == 3
    assert "are not kept" in notes.text
    assert not (result.output / BLOCKS_FILE).exists()
    assert same_coefficients(result, chosen)


def test_where_memory_is_short_the_best_is_fitted_again(values, chosen, monkeypatch):
    monkeypatch.setattr(choosing, "total_memory", lambda: 0)
    # the best comes first, and must make room for the others
    values["choose"] = {KEY: [TRUE, *OTHERS]}
    result = train(values, ["cache_gb=0"])
    assert result.candidates[0].values == {KEY: TRUE}
    assert same_coefficients(result, chosen)


def test_singular_candidates_lose(values, monkeypatch, notes):
    singular(monkeypatch, {4.2})
    values["choose"] = {"model.terms.0.cutoff": [4.2, 4.8]}
    result = train(values, watcher=notes)
    assert "singular equations" in notes.text
    assert result.candidates[-1].strengths is None
    assert "singular" in show(result.model).card
    again = train(values)
    assert without_seconds(again.candidates) == without_seconds(result.candidates)


def test_nothing_is_chosen_if_all_are_singular(values, monkeypatch):
    singular(monkeypatch, {4.2, 4.8})
    values["choose"] = {"model.terms.0.cutoff": [4.2, 4.8]}
    with pytest.raises(FitError, match="all candidates are singular"):
        train(values)


def singular(monkeypatch, cutoffs):
    real = choosing.select

    def select(model, *arguments, **options):
        if model.terms[0].cutoff in cutoffs:
            raise FitError("singular")
        return real(model, *arguments, **options)

    monkeypatch.setattr(choosing, "select", select)


def test_refit_goes_on_with_the_chosen_settings(values, notes):
    full = train(values)
    again = refit(values, ["fit.kappa=0.9"], watcher=notes)
    assert "no data are read" in notes.text
    assert again.fit.chosen.strengths.kappa == 0.9
    assert load_config(again.output / "config.yaml").choose == {}
    assert load_config(again.output / "config.yaml").model.terms[0].envelope
    assert again.candidates == full.candidates
    assert (again.output / CANDIDATES_FILE).exists()
    assert same_coefficients(refit(values), full)


def test_refit_refuses_a_choice_that_was_not_made(values, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(Killed):
        counted(patch, stop_after=2)
        train(values)
    with pytest.raises(InputError, match="no choice can be made, train without refit"):
        refit(values)
    train(values)
    with pytest.raises(InputError, match="no choice can be made"):
        refit({**values, "choose": {KEY: [None]}})


def test_a_run_without_a_choice_leaves_no_candidates(values):
    output = train(values).output
    result = train(values, ["choose=null"])
    assert result.candidates == ()
    assert not (output / CANDIDATES_FILE).exists()
    assert "candidates" not in (output / "card.md").read_text()


@pytest.mark.parametrize(
    ("choose", "match"),
    [
        ({"model.terms.0.cutof": [4, 5]}, r"cutof=4: unknown key.*did you mean"),
        ({"model.terms.3.cutoff": [4, 5]}, "'3' is not an entry of a list of 1"),
        ({"model.terms.0.cutoff": []}, "the list is empty"),
        ({"model.terms.0.cutoff": [4, "x"]}, "cutoff=x: .*expected a number"),
        ({"fit.kappa": [0.5, 0.9]}, "the key fit.kappa, expected one below model"),
        ({"model": [None]}, "expected one below model"),
        ({"model.species": [["W"]]}, "expected one below model"),
        ({"model.terms.0.cutoff": [4.0, 4]}, "are the same; leave one out"),
        ({"model.terms.0": [{}], KEY: [None]}, "is a part of model.terms.0"),
        ({"model.terms.0.cutoff": list(range(3, 36))}, "33 = 33 combinations, expected"),
        (
            {"model.terms.0.cutoff": list(range(3, 12)), KEY: [*OTHERS, TRUE, {}]},
            "9 x 4 = 36 combinations, expected at most 32",
        ),
    ],
)
def test_mistakes_are_found_before_data_are_read(choose, match, values):
    with pytest.raises(InputError, match=match):
        config_from({**values, "choose": choose})


def test_configurations_from_python_are_checked_before_data_are_read(values):
    config = replace(config_from(values), choose={KEY: ()})
    with pytest.raises(InputError, match="the list is empty"):
        train(replace(config, data=replace(config.data, path=("none.xyz",))))
    again = train(replace(config, choose={KEY: (None, TRUE)}))
    assert again.candidates[0].values == {KEY: TRUE}


@pytest.mark.parametrize(
    ("override", "error", "match"),
    [
        (
            f"choose.{KEY}=[null, {{c_min: 2, c_max: 1}}]",
            InputError,
            "c_min: 2, .*envelope",
        ),
        ("choose.model.terms.0.cutoff=[5, -1]", InputError, "candidate .*cutoff=-1"),
        ("fit.kappa=[]", InputError, "at least one candidate"),
        ("data.where={fold: [0], number: 0}", DataError, "number"),
    ],
)
def test_wrong_values_stop_the_run_before_any_fit(
    override, error, match, values, monkeypatch
):
    made = counted(monkeypatch)
    with pytest.raises(error, match=match):
        train(values, [override])
    assert not made


def test_one_frame_cannot_choose(values, tmp_path, screened_data):
    from ase.io import read as ase_read

    ase_write(tmp_path / "one.extxyz", ase_read(screened_data, 0))
    values["data"] = {"path": str(tmp_path / "one.extxyz"), "split": "all", "E0s": "zero"}
    with pytest.raises(DataError, match="one training frame"):
        train(values)


def test_too_large_candidates_are_refused_before_any_fit(values, monkeypatch):
    made = counted(monkeypatch)
    monkeypatch.setattr("trimpot.verbs.memory.total_memory", lambda: 10_000)
    with pytest.raises(FitError, match=r"candidate .*c_min: 0.3.*needs"):
        train(values)
    assert not made


def test_foreign_records_are_refused(chosen):
    broken = {**chosen.potential.provenance, "candidates": [{"values": 3}]}
    with pytest.raises(FileFormatError, match="recorded candidates"):
        show(replace(chosen.potential, provenance=broken))


def test_the_log_holds_what_was_asked_for(chosen):
    first, *_ = (chosen.output / "log.jsonl").read_text().splitlines()
    assert json.loads(first)["config"]["choose"] == {KEY: [*OTHERS, TRUE]}


def test_isolated_atoms_do_not_count_as_frames(values, tmp_path, screened_data):
    from ase.io import read as ase_read

    alone = Atoms("W", cell=[20] * 3, pbc=False)
    alone.calc = SinglePointCalculator(alone, energy=-2.0, forces=np.zeros((1, 3)))
    alone.info.update(fold=0, config_type="isolated_atom")
    frames = ase_read(screened_data, ":")
    for atoms in frames:
        atoms.calc.results["energy"] -= 2.0 * len(atoms)
    ase_write(tmp_path / "with.extxyz", [alone, *frames])
    values["data"] |= {"path": str(tmp_path / "with.extxyz"), "E0s": "auto"}
    assert train(values).candidates[0].values == {KEY: TRUE}
