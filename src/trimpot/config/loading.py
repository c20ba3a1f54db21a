"""Configuration files with overrides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from trimpot.config.building import build
from trimpot.config.choices import candidates
from trimpot.config.overrides import apply_overrides
from trimpot.config.settings import Config, DataSettings, NetworkModelSettings
from trimpot.errors import InputError
from trimpot.files.yaml_text import parse_yaml


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> Config:
    """Return the configuration of a YAML file with ``key=value`` overrides.

    Raises
    ------
    InputError
        If the file is missing, is not YAML, or says something that no setting means.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"cannot read the configuration {path}: {error.strerror} (working directory "
            f"{Path.cwd()}); examples are in the folder examples/"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text; give a YAML file") from error
    values = parse_yaml(text, str(path))
    if values is None:
        values = {}
    if not isinstance(values, Mapping):
        raise InputError(
            f"{path}: found {type(values).__name__}, expected sections: data, model, fit"
        )
    try:
        return config_from(values, overrides)
    except InputError as error:
        raise InputError(f"in {path}:\n{error}") from error


def data_settings(files: Sequence[str], overrides: Sequence[str] = ()) -> DataSettings:
    """Return how to read some files, or the data of one configuration file.

    Overrides are those of a whole configuration: ``data.rules.stress_unit=kbar``.

    Raises
    ------
    InputError
        As ``load_config``.
    """
    if len(files) == 1 and files[0].lower().endswith((".yaml", ".yml")):
        return load_config(files[0], overrides).data
    return config_from({"data": {"path": list(files)}}, overrides).data


def config_from(values: Mapping[str, object], overrides: Sequence[str] = ()) -> Config:
    """Return the configuration of plain values with overrides.

    Raises
    ------
    InputError
        If it, or one of its candidates, says something that no setting means.
    """
    config = build(Config, _with_length(_with_seed(apply_overrides(values, overrides))))
    candidates(config)  # a mistake in the last one must not show after hours
    return config


def _with_seed(values: dict[str, object]) -> dict[str, object]:
    """Pass the common seed on to folds or training and a random split without their own."""
    seed = values.get("seed")
    if seed is None:
        return values
    name = "training" if _is_network(values) else "fit"
    section = values.setdefault(name, {}) or {}
    if isinstance(section, dict):
        section.setdefault("seed", seed)
        values[name] = section
    data = values.get("data")
    if isinstance(data, dict):
        split = data.get("split")
        if split == "random" or (split is None and not data.get("test")):
            split = {"kind": "random"}
        if isinstance(split, dict) and split.get("kind") == "random":
            data["split"] = {"seed": seed, **split}
    return values


def _with_length(values: dict[str, object]) -> dict[str, object]:
    """Let ``training.epochs`` alone replace the default of ``training.seconds``."""
    training = values.get("training")
    if isinstance(training, dict) and training.get("epochs") is not None:
        training.setdefault("seconds", None)
    return values


def _is_network(values: Mapping[str, object]) -> bool:
    model = values.get("model")
    kind = model.get("kind") if isinstance(model, Mapping) else model
    return kind == NetworkModelSettings.kind
