"""Frames of a Morse toy with a short range, for trainings that take a second."""

import os

import numpy as np
import torch

from trimpot.contract import Structure
from trimpot.envelopes import EnvelopeSettings
from trimpot.networks.mlanet import MLANetSettings
from trimpot.networks.training import TrainingData, TrainingSettings

torch.set_num_threads(1)

SPECIES = (1, 8)
CUTOFF = 3.0

NETWORK = MLANetSettings(
    cutoff=CUTOFF,
    layers=1,
    channels=4,
    l_max=1,
    correlation=2,
    bessel=4,
    radial_hidden=8,
    gate_hidden=4,
    readout_hidden=8,
    envelope=EnvelopeSettings(),
)


class Recorder:
    """A watcher that remembers, and may stop the run after some calls of a stage."""

    def __init__(self, stop_after=None, action=None):
        self.notes, self.stages = [], []
        self.stop_after, self.action = stop_after, action

    def note(self, text):
        self.notes.append(text)

    def progress(self, stage, done, total):
        self.stages.append((stage, done, total))
        if (stage, done) == ("training", self.stop_after):
            self.action()


def settings(**changes):
    """Settings of a short training by epochs, in double precision on the CPU."""
    usual = {
        "seconds": None,
        "epochs": 3,
        "batch_size": 3,
        "warmup_steps": 4,
        "validations": 3,
        "precision": "float64",
        "device": "cpu",
        "ema": 0.9,
    }
    return TrainingSettings(**(usual | changes))


def morse(structure):
    """Energy (eV), forces (eV/A), stress (eV/A^3) of pairs: smooth at the cutoff."""
    n, x = len(structure), structure.positions
    shifts = np.array(list(np.ndindex(3, 3, 3))) - 1 if structure.pbc.any() else [[0] * 3]
    energy, forces, strain = 0.0, np.zeros((n, 3)), np.zeros((3, 3))
    for shift in np.asarray(shifts):
        r = x[None] - x[:, None] + shift @ structure.cell
        d = np.sqrt((r**2).sum(-1))
        i, j = np.nonzero((d > 1e-9) & (d < CUTOFF))
        u, d = r[i, j], d[i, j]
        y = np.exp(-(d - 1.2))
        taper = (1 - (d / CUTOFF) ** 2) ** 3
        pair = 0.5 * (y * y - 2 * y)
        slope = 0.5 * (-2 * y * y + 2 * y) * taper
        slope += pair * 3 * (1 - (d / CUTOFF) ** 2) ** 2 * (-2 * d / CUTOFF**2)
        energy += 0.5 * (pair * taper).sum()
        pull = (slope / d)[:, None] * u
        np.add.at(forces, i, pull)
        strain += 0.5 * np.einsum("pa,pb->ab", pull, u)
    stress = strain / structure.volume if structure.pbc.all() else None
    return energy, forces, stress


def molecule(rng, n=4):
    """A few atoms that do not come closer than 0.8 A."""
    while True:
        x = rng.uniform(0.0, 2.2, (n, 3))
        d = np.linalg.norm(x[None] - x[:, None], axis=-1) + 9.0 * np.eye(n)
        if d.min() > 0.8:
            break
    numbers = np.array([8, *[1] * (n - 1)], np.int32)
    return Structure(numbers, x, np.zeros((3, 3)), np.zeros(3, bool))


def crystal(rng):
    """Two atoms in a cell, periodic."""
    cell = 2.9 * np.eye(3) + 0.1 * rng.uniform(-1, 1, (3, 3))
    x = np.array([[0.0, 0.0, 0.0], [1.4, 1.4, 1.4]]) + 0.15 * rng.uniform(-1, 1, (2, 3))
    return Structure(np.array([8, 1], np.int32), x, cell, np.ones(3, bool))


def data_of(structures, groups=None):
    """Structures with labels of the toy."""
    labels = [morse(structure) for structure in structures]
    return TrainingData(
        tuple(structures),
        np.array([energy for energy, _, _ in labels]),
        tuple(forces for _, forces, _ in labels),
        tuple(stress for _, _, stress in labels),
        tuple(groups or ["default"] * len(structures)),
    )


def molecules(count, seed=0):
    rng = np.random.default_rng(seed)
    return data_of([molecule(rng, n=3 + k % 2) for k in range(count)])


def mixed(count, seed=0):
    """Molecules and crystals, one after the other."""
    rng = np.random.default_rng(seed)
    makers = [molecule, crystal]
    return data_of([makers[k % 2](rng) for k in range(count)])


def interrupt():
    raise KeyboardInterrupt


def terminate():
    os.kill(os.getpid(), 15)
