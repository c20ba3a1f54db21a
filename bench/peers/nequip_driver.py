"""Time, or train, a NequIP or Allegro model: run with a Python that has nequip-allegro."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from allegro.model import AllegroModel
from ase import Atoms
from ase.data import chemical_symbols
from driving import Options, Peer, Prediction, Recipe, main
from nequip.data import AtomicDataDict, from_ase
from nequip.data.transforms import ChemicalSpeciesToAtomTypeMapper, NeighborListTransform
from nequip.model import NequIPGNNModel
from nequip.nn.compile import DictInputOutputWrapper
from nequip.scripts._compile_utils import ASE_TARGET
from nequip.utils.aot import aot_export_model
from nequip.utils.global_state import set_global_state

Data = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Profile:
    """A builder and the hyperparameters that it gets; the others are its defaults."""

    builder: Callable[..., torch.nn.Module]
    settings: dict[str, Any] = field(default_factory=dict)


def nequip(l_max: int, layers: int, features: int | list[int], *, parity: bool) -> Profile:
    """Return NequIP with the radial network of its tutorial."""
    settings = {"l_max": l_max, "num_layers": layers, "num_features": features}
    radial = {"radial_mlp_depth": 2, "radial_mlp_width": 64}
    return Profile(NequIPGNNModel, {**settings, **radial, "parity": parity})


def allegro(l_max: int, layers: int, tensors: int) -> Profile:
    """Return Allegro with the scalar networks of its tutorial."""
    embedding = {"_target_": "allegro.nn.TwoBodyBesselScalarEmbed", "num_bessels": 8}
    settings = {"l_max": l_max, "num_layers": layers, "num_tensor_features": tensors}
    return Profile(AllegroModel, {**settings, "radial_chemical_embed": embedding})


PROFILES = {
    "nequip-l2": nequip(2, 4, 32, parity=True),
    "nequip-l2-no-parity": nequip(2, 4, 32, parity=False),
    "nequip-l1": nequip(1, 4, 32, parity=True),
    "nequip-l1-no-parity": nequip(1, 4, 32, parity=False),
    "nequip-l0": nequip(0, 4, 32, parity=True),
    "nequip-S": nequip(1, 2, [128, 64], parity=False),
    "allegro-l1": allegro(1, 1, 32),
    "allegro-l1-2layers": allegro(1, 2, 32),
}


class Predictor(torch.nn.Module):
    """A model of the NequIP framework that gives energies and forces alone."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, data: Data) -> Prediction:
        """Return energies and forces in single precision."""
        out = self.model(dict(data))
        energy = out[AtomicDataDict.TOTAL_ENERGY_KEY].flatten()
        return energy, out[AtomicDataDict.FORCE_KEY]


class Nequip(Peer):
    """NequIP and Allegro in their own framework."""

    recipe = Recipe(
        learning_rate=0.01, batch=5, energy_weight=1.0, forces_weight=1.0, average=0.999
    )

    def __init__(self, options: Options, species: list[int]) -> None:
        super().__init__(options, species)
        set_global_state(allow_tf32=options.tf32)
        self.names = [chemical_symbols[z] for z in species]
        self.transforms = (
            ChemicalSpeciesToAtomTypeMapper(self.names, {n: n for n in self.names}),
            NeighborListTransform(r_max=options.cutoff),
        )

    def graph(self, atoms: Atoms) -> Data:
        """Return the graph of a structure with matscipy's neighbour list."""
        bare = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
        data = from_ase(bare)
        for transform in self.transforms:
            data = transform(data)
        return data

    def edges(self, graph: Data) -> int:
        """Return the number of directed edges."""
        return AtomicDataDict.num_edges(graph)

    def collate(self, graphs: list[Data]) -> Data:
        """Return the graphs as one."""
        return AtomicDataDict.to_(
            AtomicDataDict.batched_from_list(graphs), torch.device(self.options.device)
        )

    def _model(self, neighbors: float, scale: float, mode: str) -> torch.nn.Module:
        profile = PROFILES[self.options.profile]
        return profile.builder(
            seed=self.options.seed,
            model_dtype="float32",
            compile_mode=mode,
            type_names=self.names,
            r_max=self.options.cutoff,
            avg_num_neighbors=neighbors,
            per_type_energy_scales=scale,
            per_type_energy_shifts=0.0,
            **profile.settings,
        )

    def network(self, neighbors: float, scale: float) -> torch.nn.Module:
        """Return the model; compiled, it trains on batches of two and more in that form."""
        self.statistics = (neighbors, scale)
        mode = "compile" if self.options.compile else "eager"
        return Predictor(self._model(neighbors, scale, mode))

    def inference(self, network: torch.nn.Module, example: Data) -> Callable:
        """Return the model through AOTInductor, as ``nequip-compile`` does for ASE."""
        if not self.options.compile:
            return network
        model = self._model(*self.statistics, "eager")
        model.load_state_dict(network.model.state_dict())
        infinite = {"min": 2, "max": torch.inf}
        dimension = torch.export.dynamic_shapes.Dim
        names = {"node": "num_nodes", "edge": "num_edges", "graph": "num_frames"}
        batch_map = {key: dimension(name, **infinite) for key, name in names.items()}
        folder = Path(tempfile.mkdtemp())
        path = aot_export_model(
            model=model,
            device=torch.device(self.options.device),
            input_fields=ASE_TARGET["input"],
            output_fields=ASE_TARGET["output"],
            data=ASE_TARGET["data_settings"](dict(example)),
            batch_map=ASE_TARGET["batch_map_settings"](batch_map),
            output_path=str(folder / "model.nequip.pt2"),
        )
        loaded = torch._inductor.aoti_load_package(path)
        return Predictor(
            DictInputOutputWrapper(loaded, ASE_TARGET["input"], ASE_TARGET["output"])
        )


if __name__ == "__main__":
    packages = ("nequip", "nequip-allegro", "e3nn", "matscipy")
    main(Nequip, list(PROFILES), {name: version(name) for name in packages})
