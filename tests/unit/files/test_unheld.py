"""Formats of other codes refuse densities and screened terms, and say what to do."""

import pytest

from spline_samples import random_potential
from trimpot.errors import InputError
from trimpot.files.lammps_table import write_table
from trimpot.files.uf3 import write_uf3
from trimpot.splines.potential import SplinePotential
from trimpot.verbs.exporting import export

REMEDIES = {
    "screened_pair": "without `envelope`",
    "screened_triplet": "without `envelope`",
    "density": "without the density term",
    "screened_density": "without the density term",
}
WRITERS = {"uf3": write_uf3, "table": write_table}


@pytest.mark.parametrize("kind", REMEDIES)
@pytest.mark.parametrize("format_", WRITERS)
def test_each_is_named_with_its_remedy(kind, format_, tmp_path):
    path = tmp_path / "model"
    with pytest.raises(InputError) as refused:
        WRITERS[format_](random_potential(kind, 1), path)
    message = str(refused.value)
    for part in (f"LAMMPS {format_}", f"the {kind} term ", REMEDIES[kind], "trimpot md"):
        assert part in message
    assert not path.exists()


@pytest.mark.parametrize("format_", WRITERS)
def test_all_are_named_beside_terms_that_would_fit(format_, tmp_path):
    parts = [random_potential(k, 2) for k in ("uf23", "screened_pair", "density")]
    potential = SplinePotential(
        parts[0].species,
        tuple(t for p in parts for t in p.terms),
        tuple(c for p in parts for c in p.coefficients),
    )
    named = "the screened_pair and density terms"
    with pytest.raises(InputError, match=named):
        WRITERS[format_](potential, tmp_path / "model")


@pytest.mark.parametrize("target", ["lammps-uf3", "lammps-table"])
def test_export_leaves_no_folder(target, tmp_path):
    with pytest.raises(InputError, match="screened_density"):
        export(random_potential("screened_density", 2), target, output=tmp_path / "out")
    assert not (tmp_path / "out").exists()
