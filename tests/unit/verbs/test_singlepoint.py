"""The verb singlepoint and its command: numbers, files, labels, errors with frames."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from ase.build import bulk
from ase.io import read, write

import trimpot
from toy_potentials import BatchedMorse, Morse
from trimpot.cli.app import main
from trimpot.errors import InputError, NonFiniteResultError
from trimpot.units import GPA_PER_EV_PER_A3
from trimpot.verbs import singlepoint


@pytest.fixture
def plain_file(tmp_path):
    """Two frames without any labels."""
    path = tmp_path / "plain.extxyz"
    atoms = bulk("W", "bcc", a=3.1, cubic=True)
    atoms.rattle(0.1, seed=1)
    atoms.info["temperature"] = 300
    write(path, [atoms, atoms * (2, 1, 1)])
    return path


def test_numbers_are_those_of_the_calculator(trained, data_file, tmp_path):
    result = singlepoint(trained.model, data_file, output=tmp_path / "o.extxyz", threads=1)
    frames, written = read(data_file, ":"), read(tmp_path / "o.extxyz", ":")
    assert len(result.points) == len(written) == len(frames)
    for point, frame, out in zip(result.points, frames, written, strict=True):
        frame_again = frame.copy()
        frame_again.calc = trimpot.Calculator(trained.potential, threads=1)
        energy, forces = frame_again.get_potential_energy(), frame_again.get_forces()
        assert point.energy == pytest.approx(energy, abs=1e-9)
        assert point.fmax == pytest.approx(np.linalg.norm(forces, axis=1).max(), abs=1e-9)
        assert point.label_energy == pytest.approx(frame.get_potential_energy())
        per_atom = (energy - frame.get_potential_energy()) / len(frame)
        assert point.energy_error == pytest.approx(per_atom, abs=1e-9)
        error = np.sqrt(np.mean((forces - frame.get_forces()) ** 2))
        assert point.force_rmse == pytest.approx(error, rel=1e-6)
        assert out.get_potential_energy() == pytest.approx(energy, abs=1e-7)
        np.testing.assert_allclose(out.get_forces(), forces, atol=1e-7)
        energies = frame_again.get_potential_energies()
        np.testing.assert_allclose(out.get_potential_energies(), energies, atol=1e-7)
        assert out.info["config_type"] == frame.info["config_type"]
        assert out.info["fold"] == frame.info["fold"]
        if frame.pbc.all():
            stress = frame_again.get_stress()
            np.testing.assert_allclose(out.get_stress(), stress, atol=1e-9)
            expected = GPA_PER_EV_PER_A3 * stress
            np.testing.assert_allclose(point.stress_gpa, expected, atol=1e-9)
            assert point.pressure_gpa == pytest.approx(-expected[:3].mean())
            label = -GPA_PER_EV_PER_A3 * frame.get_stress()[:3].mean()
            assert point.label_pressure_gpa == pytest.approx(label)
        else:
            assert point.stress_gpa is None


def test_its_own_output_is_read_again(trained, plain_file, tmp_path):
    first, again = tmp_path / "first.extxyz", tmp_path / "again.extxyz"
    singlepoint(trained.model, plain_file, output=first, threads=1)
    singlepoint(trained.model, first, output=again, threads=1)
    assert again.read_text() == first.read_text()


def test_structures_need_no_labels_and_any_format_goes(trained, plain_file, tmp_path):
    write(tmp_path / "POSCAR", read(plain_file, 0))
    result = singlepoint(trained.model, [plain_file, tmp_path / "POSCAR"], threads=1)
    first, double, same = result.points
    assert first.label_energy is first.energy_error is first.force_rmse is None
    assert same.energy == pytest.approx(first.energy, abs=1e-8)
    assert double.energy == pytest.approx(2 * first.energy, abs=1e-8)
    assert (first.formula, double.formula) == ("W2", "W4")


def test_many_frames_are_evaluated_in_batches(plain_file):
    frames = trimpot.read(plain_file, rules=trimpot.verbs.singlepoints.RULES).frames * 300
    potential = BatchedMorse()
    result = singlepoint(potential, frames)
    assert len(result.points) == 600
    assert potential.batches == 2
    assert len({p.energy for p in result.points}) == 2


def test_grades_are_one_more_column(plain_file, tmp_path):
    grader = SimpleNamespace(grades=lambda s: np.arange(len(s)) + 0.5)
    result = singlepoint(Morse(), plain_file, grader=grader, output=tmp_path / "o.extxyz")
    assert [p.grade for p in result.points] == [1.5, 3.5]
    assert read(tmp_path / "o.extxyz", 0).arrays["grade"].tolist() == [0.5, 1.5]
    from trimpot.verbs.singlepoint_rows import table_of

    table = table_of(result.points)
    assert table.header[-1] == "grade"
    assert [row[-1] for row in table.rows] == ["1.500", "3.500"]


def test_unknown_elements_name_themselves_and_the_frame(trained, plain_file, tmp_path):
    frames = read(plain_file, ":")
    frames[1].numbers[2] = 29
    write(tmp_path / "cu.extxyz", frames)
    output = tmp_path / "o.extxyz"
    output.write_text("older")
    with pytest.raises(InputError, match=r"frame 1 .*cu.extxyz#1.*contains Cu.*only W"):
        singlepoint(trained.model, tmp_path / "cu.extxyz", output=output)
    assert output.read_text() == "older"


def test_results_that_are_not_finite_name_the_frame(plain_file):
    class Breaks(Morse):
        def evaluate(self, neighborhood, *, threads=0):
            good = super().evaluate(neighborhood, threads=threads)
            if neighborhood.n_local == 4:
                good.forces[3] = np.inf
            return good

    with pytest.raises(NonFiniteResultError, match=r"frame 1 .*atom 3 \(W\)"):
        singlepoint(Breaks(), plain_file)


def test_the_command(trained, data_file, plain_file, tmp_path, capsys):
    model = str(trained.model)
    capsys.readouterr()
    assert main(["singlepoint", model, str(data_file), "--rows", "3"]) == 0
    shown = capsys.readouterr().out
    for part in ("label", "error", "12 more frames are not shown", "labels of 15 frames"):
        assert part in shown
    assert main(["singlepoint", model, str(plain_file)]) == 0
    shown = capsys.readouterr().out
    assert "label" not in shown
    assert "pressure" in shown
    assert main(["singlepoint", model, str(plain_file), "--json"]) == 0
    frames = json.loads(capsys.readouterr().out)["frames"]
    assert [f["atoms"] for f in frames] == [2, 4]
    assert len(frames[0]["stress_gpa"]) == 6
    write(tmp_path / "one.cif", bulk("W", cubic=True))
    assert main(["singlepoint", model, str(tmp_path / "one.cif")]) == 0
    assert "xx yy zz yz xz xy" in capsys.readouterr().out


def test_the_command_reads_other_keys(trained, frames, tmp_path, capsys):
    renamed = frames[0].copy()
    renamed.info["my_energy"] = frames[0].get_potential_energy()
    write(tmp_path / "r.extxyz", renamed)
    arguments = ["singlepoint", str(trained.model), str(tmp_path / "r.extxyz"), "--json"]
    assert main([*arguments, "--set", "keys.energy=my_energy"]) == 0
    (frame,) = json.loads(capsys.readouterr().out)["frames"]
    assert frame["label_energy"] == pytest.approx(renamed.info["my_energy"])
    assert frame["energy_error"] is not None
