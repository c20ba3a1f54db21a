"""Bad input: each kind has its message, with place and remedy."""

from __future__ import annotations

import lzma
import re
from pathlib import Path

import numpy as np
import pytest

from trimpot.data import LabelKeys, ReadRules, read
from trimpot.errors import DataError, InputError

LATTICE = 'Lattice="4 0 0 0 4 0 0 0 4"'
PROPERTIES = "Properties=species:S:1:pos:R:3:forces:R:3"
ROWS = ("W 0 0 0 0.1 0 0", "W 2 2 2 -0.1 0 0")
GOOD = f"{LATTICE} {PROPERTIES} energy=-22.0"


def frame(comment=GOOD, rows=ROWS, count=None):
    return "\n".join([str(len(rows) if count is None else count), comment, *rows]) + "\n"


def row(text):
    return (ROWS[0], text)


CASES = {
    "empty": ("", "the file has no frames"),
    "truncated": (
        frame() + frame(rows=ROWS[:1], count=2),
        r"frame 1 \(line 5\).*ends after 1 of 2",
    ),
    "natoms too large": (
        frame(count=3) + frame(),
        r"frame 1 \(line 6\): found .* frame before it announces a wrong number",
    ),
    "natoms too small": (frame(count=1) + frame(), r"frame 1 \(line 4\): found 'W 2 2 2"),
    "natoms not a number": ("two\n", "expected the number of atoms"),
    "no atoms": (frame(rows=()), "0 atoms"),
    "missing column": (
        frame(rows=row("W 2 2 2 0.1 0")),
        r"\(line 4\): the atom line has 6 columns",
    ),
    "extra column": (frame(rows=row("W 2 2 2 0 0 0 1")), "has 8 columns"),
    "word for number": (frame(rows=row("W 2 2 x 0 0 0")), r"found 'x', expected a number"),
    "fortran exponent": (frame(rows=row("W 2 2 2 0 0 1.0D-3")), "found '1.0D-3'"),
    "stars": (frame(rows=row("W 2 2 2 0 0 *****")), r"found '\*\*\*\*\*'"),
    "blank atom line": (frame(rows=row("")), "has 0 columns, expected 7"),
    "position nan": (frame(rows=row("W 2 nan 2 0 0 0")), "position of atom 1"),
    "force nan": (frame(rows=row("W 2 2 2 0 nan 0")), r"forces \(atom column\) is NaN"),
    "force inf": (frame(rows=row("W 2 2 2 0 inf 0")), "is NaN or infinite"),
    "energy nan": (frame(GOOD.replace("-22.0", "nan")), r"energy \(frame field\) is NaN"),
    "energy word": (frame(GOOD.replace("-22.0", "low")), "expected one number in eV"),
    "energy vector": (frame(GOOD.replace("-22.0", '"1 2"')), "expected one total energy"),
    "energy unit": (frame(GOOD.replace("-22.0", "-2.2e8")), "convert the energies to eV"),
    "stress nan": (frame(GOOD + ' stress="0 0 0 nan 0 0"'), r"stress .* is NaN"),
    "stress of 3": (frame(GOOD + ' stress="1 2 3"'), "9 components"),
    "stress asymmetric": (frame(GOOD + ' stress="1 .5 0 0 1 0 0 0 1"'), "not symmetric"),
    "stress in kbar": (frame(GOOD + ' stress="-251 3 -240 0 0 0"'), "stress_unit: kbar"),
    "forces of 2": (
        frame(f"{LATTICE} Properties=species:S:1:pos:R:3:forces:R:2", ("W 0 0 0 1 1",)),
        r"shape \(1, 2\), expected \(1, 3\)",
    ),
    "huge force": (frame(rows=row("W 2 2 2 0 2e4 0")), "reaches 2e.04 eV/A"),
    "unknown element": (
        frame(rows=row("Xx 2 2 2 0 0 0")),
        r"frame 0 \(line 4\): unknown element 'Xx'",
    ),
    "left-handed": (
        frame(GOOD.replace("4 0 0 0 4 0 0 0 4", "0 4 0 4 0 0 0 0 4")),
        "left-handed .* left_handed='swap'",
    ),
    "zero cell": (frame(GOOD.replace("0 0 4", "0 0 0")), "singular in its periodic"),
    "flat cell": (frame(GOOD.replace('0 0 4"', '4 4 0"')), "singular in its periodic"),
    "nan cell": (frame(GOOD.replace("0 0 4", "0 0 nan")), "is not finite"),
    "short lattice": (frame(GOOD.replace("0 0 4", "0 0")), "expected nine numbers"),
    "pbc without lattice": (
        frame(f'{PROPERTIES} energy=1 pbc="T T T"'),
        "there is no Lattice",
    ),
    "bad pbc": (frame(GOOD + ' pbc="T T"'), "expected three logicals"),
    "stress without lattice": (
        frame(f'{PROPERTIES} energy=1 stress="0 0 0 0 0 0"'),
        "no cell with a volume",
    ),
    "duplicate key": (frame(GOOD + " energy=-21.0"), "key 'energy' occurs twice"),
    "duplicate lattice": (frame(GOOD + ' lattice="1 0 0"'), "key 'Lattice' occurs twice"),
    "duplicate column": (
        frame(f"{LATTICE} {PROPERTIES}:forces:R:3", ("W 0 0 0 1 1 1 1 1 1",)),
        "column 'forces' occurs twice",
    ),
    "bad properties": (frame(GOOD.replace("pos:R:3", "pos:R")), "name:kind:width"),
    "no positions": (
        frame(f"{LATTICE} Properties=species:S:1", ("W",)),
        "no column pos:R:3",
    ),
    "no species": (frame(f"{LATTICE} Properties=pos:R:3", ("0 0 0",)), "species:S:1"),
    "open quote": (frame(GOOD + ' name="half'), "quotes and brackets are closed"),
    "overlap": (frame(rows=row("W 0 0 0.05 0 0 0")), "atoms 0 and 1 .* 0.05 A apart"),
    "overlap image": (frame(rows=row("W 0 4.01 -3.98 0 0 0")), "or an image"),
    "no labels": (
        frame(f"{LATTICE} Properties=species:S:1:pos:R:3:frc:R:3 enrgy=1"),
        r"no energies and no forces .*enrgy, frc \(nearest: enrgy",
    ),
    "not utf-8": (b"1\n\xff\xfe\nW 0 0 0\n", "is not UTF-8"),
    "damaged xz": (lzma.compress(frame().encode())[:-20], "cannot be read"),
}


@pytest.mark.parametrize("name", CASES)
def test_message(tmp_path, name):
    content, message = CASES[name]
    path = tmp_path / "bad.xyz"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(DataError, match=message) as caught:
        read(path)
    assert "bad.xyz" in str(caught.value)


def test_the_good_frame_is_good(tmp_path):
    path = tmp_path / "good.xyz"
    path.write_text(frame() + "\n" + frame() + "\n\n")
    assert len(read(path)) == 2


def test_misspelt_key_names_the_nearest(tmp_path):
    path = tmp_path / "a.xyz"
    path.write_text(frame())
    with pytest.raises(DataError, match=r"'enrgy' selected .*did you mean 'energy'"):
        read(path, keys=LabelKeys(energy="enrgy"))
    with pytest.raises(DataError, match="'forces' as energy selected for energy"):
        read(path, keys=LabelKeys(energy="forces"))
    with pytest.raises(DataError, match="selected for config_type"):
        read(path, keys=LabelKeys(config_type="kind"))


def test_swap_keeps_the_lattice(tmp_path):
    path = tmp_path / "left.xyz"
    path.write_text(frame(GOOD.replace("4 0 0 0 4 0 0 0 4", "0 4 0 4 0 0 0 0 5")))
    data = read(path, rules=ReadRules(left_handed="swap"))
    cell = data[0].structure.cell
    assert np.linalg.det(cell) > 0
    assert sorted(map(tuple, cell)) == [(0, 0, 5), (0, 4, 0), (4, 0, 0)]
    np.testing.assert_array_equal(data[0].structure.positions[1], [2, 2, 2])
    assert any("swapped" in note for note in data.report.files[0].notes)


def test_stated_unit_is_believed(tmp_path):
    path = tmp_path / "hot.xyz"
    path.write_text(frame(GOOD + ' stress="-2 -2 -2 0 0 0"'))
    data = read(path, rules=ReadRules(stress_unit="eV/A^3"))
    assert data[0].stress[0, 0] == -2.0
    assert "160 GPa" in data.report.warnings[0]


def test_raised_limits_are_obeyed(tmp_path):
    path = tmp_path / "close.xyz"
    path.write_text(frame(rows=row("W 0 0 0.05 0 2e4 0")))
    assert len(read(path, rules=ReadRules(max_force=1e5, min_distance=0.01))) == 1


def test_structures_alone_can_be_read(tmp_path):
    path = tmp_path / "plain.xyz"
    path.write_text("1\na comment, a comment\nW 0 0 0\n")
    data = read(path, rules=ReadRules(require_labels=False))
    assert data[0].energy is None
    assert not data[0].structure.pbc.any()


def test_different_keys_in_one_file_are_a_warning(tmp_path):
    path = tmp_path / "mixed.xyz"
    path.write_text(frame() + frame(GOOD.replace("energy", "REF_energy")))
    assert "energy comes from different keys" in read(path).report.warnings[0]


@pytest.mark.parametrize(
    "setting",
    [
        {"stress_unit": "kB"},
        {"stress_sign": "plus"},
        {"left_handed": "ok"},
        {"max_force": 0.0},
    ],
)
def test_rules_refuse_unknown_values(setting):
    with pytest.raises(InputError, match="expected"):
        ReadRules(**setting)


def test_error_in_a_later_block_names_its_frame(tmp_path):
    """Blocks of frames are parsed at once; the place must still be exact."""
    good = frame() * 200
    path = tmp_path / "long.xyz"
    path.write_text(good + frame(rows=row("W 2 2 oops 0 0 0")) + good)
    with pytest.raises(DataError, match=r"frame 200 \(line 804\): found 'oops'"):
        read(path)


def test_close_atoms_are_found_in_any_cell(tmp_path):
    """Planted overlaps across faces of skewed and partly periodic cells."""
    generator = np.random.default_rng(7)
    for trial in range(40):
        pbc = generator.random(3) < 0.6
        cell = np.diag(generator.uniform(3, 6, 3)) + generator.uniform(-1, 1, (3, 3))
        if np.linalg.det(cell) < 0:
            continue
        grid = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)]) / 2
        positions = (grid + generator.uniform(-0.1, 0.1, 3)) @ cell
        shift = generator.integers(-2, 3, 3) * pbc
        step = generator.normal(size=3)
        twin = positions[3] + shift @ cell + 0.08 * step / np.linalg.norm(step)
        comment = (
            f'Lattice="{" ".join(map(str, cell.ravel()))}" Properties=species:S:1:pos:R:3 '
            f'energy=1 pbc="{" ".join("FT"[int(p)] for p in pbc)}"'
        )
        rows = [f"W {x:.10f} {y:.10f} {z:.10f}" for x, y, z in [*positions, twin]]
        path = tmp_path / f"{trial}.xyz"
        path.write_text(frame(comment, rows))
        with pytest.raises(DataError, match=r"atoms 3 and 8 .* 0.08 A apart"):
            read(path)
        path.write_text(frame(comment, rows[:-1]))
        assert len(read(path)) == 1


def test_energies_per_atom_are_noticed(tmp_path):
    rows = [f"W {x} {y} 0 0 0 0" for x in (0, 1, 2) for y in (0, 1, 2)]
    path = tmp_path / "e.xyz"
    path.write_text("".join(frame(GOOD, rows[:n]) for n in range(1, 9)))
    assert "seem to be per atom" in read(path).report.warnings[0]
    total = (frame(GOOD.replace("-22.0", f"{-22.0 * n}"), rows[:n]) for n in range(1, 9))
    path.write_text("".join(total))
    assert read(path).report.warnings == ()


def test_every_documented_message_is_raised(tmp_path):
    """The page of errors quotes messages; each quote must be in one that is raised."""
    page = (Path(__file__).parents[3] / "docs" / "errors.md").read_text()
    page = page.split("\n## Outputs of codes\n")[0]  # see test_dft_outputs.py
    quotes = re.findall(r"^### `(.+)`$", page, re.MULTILINE)
    raised = []
    contents = [content for content, _ in CASES.values()]
    contents.append(frame(GOOD + " REF_energy=-21.0"))
    opposite = 'stress="1 1 1 0 0 0" virial="64 64 64 0 0 0"'
    contents.append(frame(f"{GOOD} {opposite}"))
    for content in contents:
        path = tmp_path / "bad.xyz"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        with pytest.raises(DataError) as caught:
            read(path)
        raised.append(str(caught.value))
    missing = [quote for quote in quotes if not any(quote in text for text in raised)]
    assert missing == []
    assert len(quotes) > 30
