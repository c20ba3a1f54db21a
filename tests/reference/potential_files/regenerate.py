"""Write the sample of the present format version; refuses to touch an existing one."""

import json
import runpy
from pathlib import Path

from trimpot.files import save, write_text
from trimpot.files.upgrades import FORMAT_VERSION
from trimpot.neighbors import neighborhood
from trimpot.splines import reference

HERE = Path(__file__).parent
SAMPLE = runpy.run_path(str(HERE.parents[1] / "unit" / "files" / "conftest.py"))


def case(potential, structure):
    result = reference.evaluate(potential, neighborhood(structure, potential.cutoff))
    return {
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
