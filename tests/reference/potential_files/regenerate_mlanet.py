"""Write the sample of a network potential and its numbers, in double precision."""

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from network_samples import core, narrow, network, structures  # noqa: E402
from trimpot.files import make_folder, save, write_text  # noqa: E402


def main():
    folder = make_folder(HERE / "mlanet")
    potential = network(narrow(), prior=core())
    cases = [
        {
            "numbers": structure.numbers.tolist(),
            "positions": structure.positions.tolist(),
            "cell": structure.cell.tolist(),
            "pbc": structure.pbc.tolist(),
            "energies": result.energies.tolist(),
            "forces": result.forces.tolist(),
            "virial": result.virial.tolist(),
        }
        for structure, result in zip(
            structures(), potential.evaluate_many(structures(), threads=1), strict=True
        )
    ]
    save(potential, folder / "kernel.trimpot")  # sample.trimpot is of before there was one
    write_text(folder / "expected.json", json.dumps({"cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
