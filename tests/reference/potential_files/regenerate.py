"""Write the sample of the present format version; refuses to touch an existing one."""

import json
import runpy
from pathlib import Path

import numpy as np

from trimpot.files import save, write_text
from trimpot.files.upgrades import FORMAT_VERSION
from trimpot.neighbors import neighborhood
from trimpot.splines import reference
from trimpot.splines.grading import distance_grades
from trimpot.splines.potential import SplinePotential
from trimpot.splines.trust import trust_of

HERE = Path(__file__).parent
SAMPLE = runpy.run_path(str(HERE.parents[1] / "unit" / "files" / "conftest.py"))


def grades(potential, structure):
    """Lengths |phi W| / limit: rows from the specification, coefficient by coefficient."""
    around = neighborhood(structure, potential.cutoff)
    trust = trust_of(potential.statistics)
    columns = []
    for term in potential.terms[1:]:
        for unit in np.eye(term.n_coefficients):
            alone = SplinePotential(potential.species, (term,), (unit,))
            columns.append(reference.evaluate(alone, around).energies)
    lengths = np.linalg.norm(np.stack(columns, axis=1) @ trust.extent, axis=1)
    limits = trust.limits[np.searchsorted(potential.species, structure.numbers)]
    near = distance_grades(around, potential.species, trust.shortest)
    return np.maximum(lengths / limits, near)


def case(potential, structure):
    result = reference.evaluate(potential, neighborhood(structure, potential.cutoff))
    return {
        "grades": grades(potential, structure).tolist(),
        "numbers": structure.numbers.tolist(),
        "positions": structure.positions.tolist(),
        "cell": structure.cell.tolist(),
        "pbc": structure.pbc.tolist(),
        "energies": result.energies.tolist(),
        "forces": result.forces.tolist(),
        "virial": result.virial.tolist(),
    }


def main():
    folder = HERE / f"v{FORMAT_VERSION}"
    folder.mkdir()
    potential = SAMPLE["sample_potential"]()
    cases = [case(potential, s) for s in SAMPLE["sample_structures"]()]
    save(potential, folder / "sample.trimpot")
    write_text(folder / "expected.json", json.dumps({"cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
