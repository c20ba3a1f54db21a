from pathlib import Path

import pytest
import yaml

from trimpot.config import candidates, config_from, load_config, to_plain, to_yaml
from trimpot.data import FieldSplit, ListSplit, RandomSplit, TrainOnAll
from trimpot.envelopes import EnvelopeSettings
from trimpot.errors import InputError
from trimpot.files.yaml_text import parse_yaml
from trimpot.fitting import FitSettings, QuantityWeights
from trimpot.splines.core import CoreSettings
from trimpot.splines.pair_settings import PairOverride, PairSettings
from trimpot.splines.triplet_settings import TripletSettings

MINIMAL = {"data": {"path": "w.xyz"}}


def made(**sections):
    return config_from({**MINIMAL, **sections})


def refused(match, *overrides, **sections):
    with pytest.raises(InputError, match=match):
        config_from({**MINIMAL, **sections}, overrides)


def test_a_path_is_enough():
    config = config_from(MINIMAL)
    assert config.data.path == ("w.xyz",)
    assert config.model.terms == (PairSettings(), TripletSettings())
    assert config.model.all_terms[-1] == CoreSettings()
    assert config.fit == FitSettings()
    assert config.data.effective_split == RandomSplit()
    assert config.output == Path("output")


def test_empty_sections_are_defaults():
    assert made(model=None, fit={}) == config_from(MINIMAL)


def test_test_files_mean_training_on_all_others():
    assert made(data={"path": "a", "test": "b"}).data.effective_split == TrainOnAll()


@pytest.mark.parametrize("off", ["off", None, False])
def test_core_is_on_unless_switched_off(off):
    assert made().model.all_terms[-1] == CoreSettings()
    assert made(model={"core": off}).model.all_terms == made().model.terms


def test_core_among_the_terms_replaces_the_default():
    terms = ["pair", {"kind": "zbl", "outer": 1.5}]
    assert made(model={"terms": terms}).model.all_terms == (
        PairSettings(),
        CoreSettings(outer=1.5),
    )


def test_nested_settings_and_short_forms():
    config = made(
        model={
            "terms": [
                {"kind": "pair", "cutoff": 5, "pairs": {"Ge-Te": {"cutoff": 6.5}}},
                {
                    "kind": "triplet",
                    "tie": [["Ge-Ge-Te", "Ge-Te-Te"]],
                    "leave_out": "Te-Te-Te",
                },
            ]
        },
        fit={"kappa": 0.8, "weights": {"surface": {"energy": 2}}},
    )
    pair, triplet = config.model.terms
    assert isinstance(pair.cutoff, float)
    assert pair.pairs == {"Ge-Te": PairOverride(cutoff=6.5)}
    assert triplet.tie == (("Ge-Ge-Te", "Ge-Te-Te"),)
    assert triplet.leave_out == ("Te-Te-Te",)
    assert config.fit.kappa == (0.8,)
    assert config.fit.weights == {"surface": QuantityWeights(energy=2.0)}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"kind": "field", "field": "f", "train": 1}, FieldSplit("f", (1,))),
        (
            {"kind": "field", "field": "f", "train": [1, 2], "test": "x"},
            FieldSplit("f", (1, 2), ("x",)),
        ),
        ({"kind": "random", "test_fraction": 0.2}, RandomSplit(0.2)),
        ({"kind": "list", "path": "i.txt", "list_base": 1}, ListSplit(Path("i.txt"), 1)),
        ("all", TrainOnAll()),
        ("random", RandomSplit()),
    ],
)
def test_splits(given, expected):
    assert made(data={"path": "a", "split": given}).data.effective_split == expected


def test_common_seed_goes_where_no_own_seed_is():
    config = made(seed=7)
    assert config.fit.seed == 7
    assert config.data.effective_split == RandomSplit(seed=7)
    config = made(seed=7, fit={"seed": 1}, data={"path": "a", "split": "all"})
    assert config.fit.seed == 1
    assert config.data.effective_split == TrainOnAll()


def test_selection_takes_one_value_or_several():
    where = {"config_type": "bulk", "fold": [1, 2]}
    given = made(data={"path": "a", "where": where}).data.where
    assert given == {"config_type": ("bulk",), "fold": (1, 2)}


def test_E0s_by_choice_or_table():
    assert made(data={"path": "a", "E0s": {"No": -1}}).data.E0s == {"No": -1.0}
    assert made(data={"path": "a", "E0s": "zero"}).data.E0s == "zero"
    refused("data.E0s: found 'average', expected", data={"path": "a", "E0s": "average"})


@pytest.mark.parametrize(
    ("section", "match"),
    [
        ({"modle": {}}, r"unknown key modle; did you mean model\?"),
        ({"fit": {"kapa": 1}}, r"unknown key fit\.kapa; did you mean fit\.kappa\?"),
        ({"fit": {"qqqq": 1}}, r"unknown key fit\.qqqq; known here: kappa, "),
        (
            {"model": {"terms": [{"kind": "pair", "cutof": 5}]}},
            r"unknown key model\.terms\.0\.cutof; did you mean model\.terms\.0\.cutoff\?",
        ),
        (
            {"model": {"terms": [{"kind": "pear"}]}},
            r"model\.terms\.0\.kind.*did you mean pair",
        ),
        ({"model": {"terms": [{"cutoff": 5}]}}, r"model\.terms\.0\.kind is missing"),
        ({"model": {"terms": [5]}}, r"model\.terms\.0\.kind is missing"),
        ({"model": {"kind": "gnn"}}, r"model\.kind: found 'gnn'"),
        ({"model": {"core": {"kind": "pair"}}}, r"model\.core\.kind: found 'pair'"),
        ({"model": 5}, "model: found 5, expected a section"),
        ({"fit": {"folds": "five"}}, r"fit\.folds: found 'five', expected a whole number"),
        ({"fit": {"folds": 5.5}}, r"fit\.folds: found 5\.5"),
        ({"fit": {"folds": True}}, r"fit\.folds: found True"),
        ({"fit": {"stress_weight": True}}, r"fit\.stress_weight: found True"),
        ({"fit": {"stress_weight": "1"}}, r"fit\.stress_weight: found '1'"),
        ({"fit": {"stress_weight": float("nan")}}, r"fit\.stress_weight: found nan"),
        ({"fit": {"kappa": [0.5, "x"]}}, r"fit\.kappa\.1: found 'x', expected a number"),
        (
            {"model": {"terms": [{"kind": "pair", "spacing": "log"}]}},
            "expected one of uniform",
        ),
        ({"model": {"terms": [{"kind": "triplet", "tie": "both"}]}}, "auto, none, center"),
        ({"data": {}}, r"data\.path is missing"),
        ({"data": {"path": "a", "split": "off"}}, "found 'off', expected one of field"),
        (
            {"data": {"path": "a", "keys": {"energy": ""}}},
            r"data\.keys: the key",
        ),
        ({"data": {"path": "a", "rules": {"stress_unit": "psi"}}}, "expected one of eV/A"),
    ],
)
def test_mistakes_are_named_with_their_path(section, match):
    refused(match, **section)


def test_all_mistakes_are_listed_at_once():
    with pytest.raises(InputError) as caught:
        config_from({"fit": {"kapa": 1, "folds": "x"}, "outptu": "y"})
    text = str(caught.value)
    for part in ("fit.kapa", "fit.folds", "outptu", "data is missing"):
        assert part in text


def test_overrides_reach_sections_lists_and_defaults():
    overrides = ["model.terms.1.cutoff=4.25", "fit.kappa=[0.5, 1e-1]", "output=here"]
    config = config_from(MINIMAL, [*overrides, "data.path=b.xyz"])
    assert config.model.terms == (PairSettings(), TripletSettings(cutoff=4.25))
    assert config.fit.kappa == (0.5, 0.1)
    assert config.output == Path("here")
    assert config.data.path == ("b.xyz",)


def test_candidates_are_all_combinations():
    overrides = ["choose.model.terms.1.cutoff=[4, 5]", "model.terms.0.cutoff=7"]
    choose = {"model.terms.1.envelope": [None, {"c_min": 0.5}], "model.core.outer": 1.5}
    config = config_from({**MINIMAL, "choose": choose}, overrides)
    found = candidates(config)
    assert [c.label for c in found] == [
        f"model.terms.1.envelope={envelope}, model.core.outer=1.5, "
        f"model.terms.1.cutoff={cutoff}"
        for envelope in ("null", "{c_min: 0.5}")
        for cutoff in (4, 5)
    ]
    last = found[-1].config
    assert last.choose == {}
    assert last.model.terms == (
        PairSettings(cutoff=7.0),
        TripletSettings(cutoff=5.0, envelope=EnvelopeSettings(c_min=0.5)),
    )
    assert last.model.core == CoreSettings(outer=1.5)
    assert config.model.terms[1] == TripletSettings()


def test_without_choose_there_are_no_candidates():
    assert candidates(config_from(MINIMAL)) == ()
    assert candidates(made(choose=None)) == ()


def test_choices_are_written_and_read_back(tmp_path):
    config = made(choose={"model.terms": [["pair"], ["pair", {"kind": "density"}]]})
    (tmp_path / "c.yaml").write_text(to_yaml(config))
    assert load_config(tmp_path / "c.yaml") == config
    assert [len(c.config.model.terms) for c in candidates(config)] == [1, 2]


def test_overrides_do_not_change_what_was_given():
    values = {"data": {"path": "a"}, "model": {"terms": ["pair"]}}
    config = config_from(values, ["model.terms.0.cutoff=4"])
    assert config.model.terms == (PairSettings(cutoff=4.0),)
    assert values == {"data": {"path": "a"}, "model": {"terms": ["pair"]}}


@pytest.mark.parametrize(
    ("override", "match"),
    [
        ("output", "expected key=value"),
        ("=3", "expected key=value"),
        ("model.terms.5.cutoff=1", "'5' is not an entry of a list of 2"),
        ("model.terms.x.cutoff=1", "'x' is not an entry"),
        ("data.path.x=1", "single value"),
        ("fit.kapa=1", "did you mean"),
        ("fit.kappa=[1", "not valid YAML"),
    ],
)
def test_wrong_overrides_are_explained(override, match):
    refused(match, override)


def test_resolved_configuration_loads_to_itself(tmp_path):
    config = config_from(
        {
            "data": {"path": ["a", "b"], "split": {"kind": "list", "path": "i"}},
            "model": {"core": None, "species": "W"},
            "fit": {"ridge": 1e-8, "weights": {"a": {"forces": 2}}},
        }
    )
    (tmp_path / "c.yaml").write_text(to_yaml(config))
    assert load_config(tmp_path / "c.yaml") == config
    assert to_plain(load_config(tmp_path / "c.yaml")) == to_plain(config)


def test_yaml_says_what_people_mean():
    text = "a: 1e-8\nb: off\nc: No\nd: 1:30\ne: true\nf: 010\ng: .5\nh:\ni: -3"
    assert parse_yaml(text, "x") == {
        "a": 1e-8,
        "b": "off",
        "c": "No",
        "d": "1:30",
        "e": True,
        "f": 10,
        "g": 0.5,
        "h": None,
        "i": -3,
    }


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("a: 1\na: 2", "line 2, column 1: the key 'a' stands twice"),
        ("a: [1", "not valid YAML"),
        ("a:\n\t- b", "line 2"),
        ("!!python/object/apply:os.system ['true']", "not valid YAML"),
    ],
)
def test_wrong_yaml_is_explained(text, match):
    with pytest.raises(InputError, match=match):
        parse_yaml(text, "x")


def test_file_problems_name_the_file(tmp_path):
    with pytest.raises(InputError, match=r"cannot read the configuration .*none\.yaml"):
        load_config(tmp_path / "none.yaml")
    (tmp_path / "c.yaml").write_text("fit: {kapa: 1}")
    with pytest.raises(InputError, match=r"in .*c\.yaml:"):
        load_config(tmp_path / "c.yaml")
    (tmp_path / "c.yaml").write_text("- a")
    with pytest.raises(InputError, match="expected sections"):
        load_config(tmp_path / "c.yaml")
    (tmp_path / "c.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="UTF-8"):
        load_config(tmp_path / "c.yaml")


def test_dump_is_plain_yaml():
    assert (
        yaml.safe_load(to_yaml(config_from(MINIMAL)))["fit"]["folds"] == FitSettings().folds
    )
