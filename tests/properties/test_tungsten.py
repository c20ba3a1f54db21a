"""The tungsten examples as a user runs them: accuracy on the published split, safe core."""

from pathlib import Path

import pytest

import trimpot
from trimpot.validation.physics import potential_checks

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data" / "w14_tungsten" / "w14.extxyz.xz"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.exists(), reason="reference data w14_tungsten not present"),
]


@pytest.mark.parametrize(
    ("example", "energy", "forces", "most_coefficients"),
    [
        ("tungsten-uf2", 19.8, 330.0, 100),
        ("tungsten-uf23", 5.8, 140.0, 1300),
        ("tungsten-uf23-screened", 4.8, 120.0, 1300),
        ("tungsten-density", 10.0, 225.0, 250),
        ("tungsten-density-screened", 9.4, 210.0, 280),
        ("tungsten-screened", 4.6, 121.0, 800),
        ("tungsten-best", 3.3, 90.0, 1300),
    ],
)
def test_examples_reach_their_accuracy_and_stay_repulsive(
    example, energy, forces, most_coefficients, tmp_path
):
    overrides = [f"output={tmp_path}", f"data.path={DATA}", "figures=false", "cache_gb=0"]
    trimpot.train(ROOT / "examples" / f"{example}.yaml", overrides)
    potential = trimpot.load(tmp_path / "model.trimpot")
    assert sum(map(len, potential.coefficients)) <= most_coefficients
    judged = trimpot.evaluate(
        tmp_path / "model.trimpot", DATA, where={"uf3_train": 0}
    ).tables
    rows = {row.quantity: row for row in judged.rows if row.group == "all"}
    assert rows["energy"].rmse <= energy
    assert rows["forces"].rmse <= forces
    wall = float(potential.statistics["smallest"][0, 0])
    for check in potential_checks(potential, repulsive_below=wall):
        assert check.passed, str(check)
