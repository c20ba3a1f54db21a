"""The corpus: every fault with the code and the words of the remedy that it must get."""

from __future__ import annotations

import gzip
import lzma
from dataclasses import dataclass

from faults import texts, values


@dataclass(frozen=True)
class Fault:
    """A fault, what it does to files, and how it must be named.

    ``make`` returns the content of each file; ``code`` is the finding, ``remedy`` words of
    its remedy, ``settings`` options given to the check.
    """

    name: str
    make: object
    code: str
    remedy: str
    settings: tuple[str, ...] = ()

    def write(self, folder):
        """Write the files and return their paths."""
        made = self.make()
        files = made if isinstance(made, dict) else {"data.extxyz": made}
        paths = []
        for name, content in files.items():
            path = folder / name
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            paths.append(path)
        return paths


CLEAN = "--clean good.extxyz"
CORPUS = tuple(
    Fault(*entry)
    for entry in (
        ("empty file", lambda: "", "file-empty", "leave the file out"),
        ("binary file", lambda: b"1\n\xff\xfe\nW 0 0 0\n", "file-not-text", "format=NAME"),
        ("damaged xz", lambda: {"d.xyz.xz": lzma.compress(texts.good().encode())[:-40]},
         "file-unreadable", "copy the file again"),
        ("cut gzip", lambda: {"d.xyz.gz": gzip.compress(texts.good().encode())[:-40]},
         "file-unreadable", "copy the file again"),
        ("file ends within a frame", texts.truncated, "frame-truncated", "copy the file"),
        ("file ends within a line", texts.cut_line, "atom-line", CLEAN),
        ("number of atoms too large", texts.count_large, "frame-truncated", CLEAN),
        ("number of atoms too small", texts.count_small, "frame-truncated", CLEAN),
        ("number of atoms is a word", texts.count_word, "atom-count", "correct the number"),
        ("frame without atoms", texts.no_atoms, "frame-empty", CLEAN),
        ("energy twice", texts.energy_twice, "key-twice", "delete the one that is wrong"),
        ("column twice", texts.column_twice, "key-twice", "delete the one that is wrong"),
        ("quote not closed", texts.open_quote, "comment-line", "close its quotes"),
        ("Properties cut", texts.bad_properties, "properties", "correct Properties"),
        ("column missing in a line", texts.short_row, "atom-line", CLEAN),
        ("Fortran stars", texts.stars, "atom-line", CLEAN),
        ("Fortran exponent", texts.fortran, "atom-line", CLEAN),
        ("unknown element", texts.unknown_element, "element-unknown", CLEAN),
        ("NaN position", texts.nan_position, "not-finite", CLEAN),
        ("NaN force", texts.nan_force, "not-finite", CLEAN),
        ("infinite force", texts.inf_force, "not-finite", CLEAN),
        ("NaN energy", texts.nan_energy, "not-finite", CLEAN),
        ("NaN stress", texts.nan_stress, "not-finite", CLEAN),
        ("NaN cell", texts.nan_cell, "not-finite", CLEAN),
        ("Lattice of eight numbers", texts.short_lattice, "cell-format", CLEAN),
        ("zero lattice vector", texts.flat_cell, "cell-singular", "correct the Lattice"),
        ("left-handed cells", texts.left_handed, "cell-left-handed", "left_handed=swap"),
        ("periodic without Lattice", texts.no_lattice, "cell-missing", "add the Lattice"),
        ("two logicals in pbc", texts.bad_pbc, "cell-format", 'pbc="T T F"'),
        ("stress without cell", texts.stress_no_cell, "stress-without-cell",
         "add the Lattice"),
        ("energy is a word", texts.energy_word, "label-shape", CLEAN),
        ("energy per atom as array", texts.energy_vector, "label-shape", "keys.energy=KEY"),
        ("forces with two columns", values.flat_forces, "label-shape", "keys.forces=KEY"),
        ("stress of three numbers", texts.stress_three, "label-shape", "keys.stress=KEY"),
        ("stress not symmetric", texts.asymmetric, "label-shape", "order of its"),
        ("no label recognised", lambda: texts.renamed(energy="alpha", forces="vel",
                                                      stress="gamma"),
         "labels-missing", "keys.energy=KEY"),
        ("energy misspelt", lambda: texts.renamed(energy="enrgy"), "key-misspelt",
         "keys.energy=enrgy"),
        ("energy under another name", lambda: texts.renamed(energy="my_energy"),
         "key-misspelt", "keys.energy=my_energy"),
        ("forces misspelt", lambda: texts.renamed(forces="frc"), "key-misspelt",
         "keys.forces=frc"),
        ("stress misspelt", lambda: texts.renamed(stress="strss"), "key-misspelt",
         "keys.stress=strss"),
        ("forces misspelt in some frames", texts.some_misspelt, "key-misspelt",
         "rename 'forcs'"),
        ("chosen key does not exist", texts.good, "key-missing", "keys.energy=energy",
         ("data.keys.energy=enery",)),
        ("energy under two names", texts.mixed_keys, "keys-mixed", "keys.energy="),
        ("two energies disagree", texts.conflict, "key-conflict", "keys.energy=KEY"),
        ("stress and virial disagree in sign", values.stress_and_virial,
         "stress-virial-sign", "keys.stress=KEY"),
        ("forces are gradients", values.force_sign, "force-sign", "force_sign=gradient"),
        ("forces in kcal/mol/A", lambda: values.forces_in("kcal/mol/A"),
         "energy-force-unit", "force_unit=kcal/mol/A"),
        ("forces in Ha/bohr", lambda: values.forces_in("Ha/bohr"),
         "energy-force-unit", "force_unit=Ha/bohr"),
        ("forces in Ry/bohr", lambda: values.forces_in("Ry/bohr"),
         "energy-force-unit", "force_unit=Ry/bohr"),
        ("forces in meV/A", lambda: values.forces_in("meV/A"),
         "energy-force-unit", "force_unit=meV/A"),
        ("forces in kJ/mol/nm", lambda: values.forces_in("kJ/mol/nm"),
         "energy-force-unit", "force_unit=kJ/mol/nm"),
        ("energies in kcal/mol", lambda: values.energies_in("kcal/mol"),
         "energy-force-unit", "energy_unit=kcal/mol"),
        ("energies in kJ/mol", lambda: values.energies_in("kJ/mol"),
         "energy-force-unit", "energy_unit=kJ/mol"),
        ("energies in Ha", lambda: values.energies_in("Ha"),
         "energy-force-unit", "energy_unit=Ha"),
        ("energies in Ry", lambda: values.energies_in("Ry"),
         "energy-force-unit", "energy_unit=Ry"),
        ("energies in meV", lambda: values.energies_in("meV"),
         "energy-force-unit", "energy_unit=meV"),
        ("energies in Ha, forces in Ha/bohr", values.atomic_units,
         "energy-force-unit", "energy_unit=Ha --set data.rules.force_unit=Ha/bohr"),
        ("energies in kcal/mol, forces flipped", values.two_mistakes,
         "energy-force-unit", "force_sign=gradient"),
        ("molecules in Ha", values.molecules_in_hartree, "energy-unit", "energy_unit=Ha"),
        ("molecules in Ha and Ha/bohr", values.molecules_in_atomic_units, "energy-unit",
         "force_unit=Ha/bohr"),
        ("energies per atom", values.per_atom, "energy-per-atom", "energy_kind=per_atom"),
        ("energies per atom, no near frames", lambda: values.per_atom("unlike"),
         "energy-per-atom", "energy_kind=per_atom"),
        ("energies in kcal/mol, no near frames",
         lambda: values.energies_in("kcal/mol", "unlike"), "energy-force-unit",
         "energy_unit=kcal/mol"),
        ("gradients, no near frames", lambda: values.force_sign("unlike"), "force-sign",
         "force_sign=gradient"),
        ("energy beyond 1e6 eV/atom", values.huge_energy, "energy-unit", "energy_unit="),
        ("stress in kbar", lambda: values.stress_in(1602.1766), "stress-unit",
         "stress_unit=kbar"),
        ("stress as VASP prints it", lambda: values.stress_in(-1602.1766), "stress-unit",
         "stress_unit=kbar --set data.rules.stress_sign=compression"),
        ("stress in GPa", lambda: values.stress_in(160.21766), "stress-unit",
         "stress_unit=GPa"),
        ("stress with the sign of compression", lambda: values.stress_in(-1.0),
         "stress-sign", "stress_sign=compression"),
        ("stress in kbar, no near frames", lambda: values.stress_in(1602.1766, "unlike"),
         "stress-unit", "stress_unit=kbar"),
        ("flipped stress, no near frames", lambda: values.stress_in(-1.0, "unlike"),
         "stress-sign", "stress_sign=compression"),
        ("stress key holds a virial", values.virial_as_stress, "stress-is-virial",
         "keys.virial=stress"),
        ("virial of the opposite sign", values.flipped_virial, "stress-sign",
         "virial_sign=+stress"),
        ("virial key holds a stress", values.stress_as_virial, "virial-is-stress",
         "keys.stress=virial"),
        ("shears as xy yz zx", lambda: texts.voigt((5, 3, 4)), "stress-order",
         'voigt_order="xy yz xz"'),
        ("shears as xy xz yz", lambda: texts.voigt((5, 4, 3)), "stress-order",
         'voigt_order="xy xz yz"'),
        ("lengths in bohr", lambda: values.lengths(1.8897), "length-unit",
         "length_unit=bohr"),
        ("lengths in nm", lambda: values.lengths(0.1), "length-unit", "length_unit=nm"),
        ("fractional positions", values.fractional, "positions-fractional",
         "multiply them by the lattice"),
        ("same geometry, other energy", values.two_theories, "labels-conflict",
         "data.where"),
        ("a group of another level of theory", values.shifted_group, "energy-offset",
         "data.where"),
        ("a file of atomisation energies", values.atomisation_file, "energy-offset",
         "data.where"),
        ("atomisation energies beside total E0s", values.atomisation, "e0-mismatch",
         "E0s=zero"),
        ("isolated atom with energy 0", values.zero_atom, "e0-mismatch",
         "E0s=least_squares"),
        ("two energies of an isolated atom", values.two_atoms, "isolated-atom", "E0s="),
        ("isolated atom without energy", values.atom_without_energy, "isolated-atom",
         "E0s="),
        ("IsolatedAtom with two atoms", values.not_isolated, "isolated-atom",
         "correct the frames"),
        ("forces 0 in some frames", values.zero_forces, "forces-zero", CLEAN),
        ("frozen atoms", values.frozen, "forces-frozen", "apply_constraint=False"),
        ("forces of another frame", values.copied_forces, "forces-repeated", CLEAN),
        ("one energy for all", values.constant_energy, "energy-constant", CLEAN),
        ("energy 0 in some frames", values.zero_energies, "energy-zero", CLEAN),
        ("stress 0 in some frames", values.zero_stresses, "stress-zero", "stress_weight=0"),
        ("net force in some frames", values.some_net, "net-force", CLEAN),
        ("net force everywhere", values.all_net, "net-force", "subtract the mean force"),
        ("one energy not converged", values.bad_energy, "energy-outlier", CLEAN),
        ("one frame with wild forces", values.bad_forces, "force-outlier", CLEAN),
        ("forces flipped in one frame", values.one_flipped, "label-inconsistent", CLEAN),
        ("energies with one digit", lambda: values.rounded(1), "energy-digits",
         "more digits"),
        ("forces with two digits", values.coarse_forces, "force-digits", "more digits"),
        ("force of 1e4 eV/A", values.huge_force, "force-large", "max_force"),
        ("atoms on top of each other", values.overlap, "overlap", CLEAN),
        ("atoms 0.7 A apart", values.close, "close-contact", CLEAN),
        ("pbc F F F of crystals", values.open_boxes, "pbc-off", 'pbc="T T T"'),
        ("some frames without Lattice", values.lost_lattices, "cell-missing",
         "add their Lattice"),
    )
)  # fmt: skip
