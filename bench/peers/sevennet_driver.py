"""Time, or train, a SevenNet model: run with a Python that has sevenn."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from importlib.metadata import version

import sevenn._const as const
import sevenn._keys as KEY
import sevenn.util
import torch
from ase import Atoms
from ase.data import chemical_symbols
from driving import Peer, Prediction, Recipe, main
from sevenn.atom_graph_data import AtomGraphData
from sevenn.model_build import build_E3_equivariant_model
from sevenn.train.dataload import unlabeled_atoms_to_graph
from torch_geometric.data import Batch


@dataclass(frozen=True)
class Profile:
    """Hyperparameters that differ; the others are SevenNet's defaults."""

    l_max: int
    layers: int
    channels: int
    parity: bool = False


PROFILES = {
    "sevennet-l1": Profile(1, 3, 32),
    "sevennet-l1-parity": Profile(1, 3, 32, parity=True),
    "sevennet-l2": Profile(2, 3, 32),
    "sevennet-l0": Profile(0, 3, 32),
}


class Predictor(torch.nn.Module):
    """A SevenNet model that gives energies and forces alone."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, data: Batch) -> Prediction:
        """Return energies and forces."""
        out = self.model(data.clone())
        return out[KEY.PRED_TOTAL_ENERGY].flatten(), out[KEY.PRED_FORCE]


class SevenNet(Peer):
    """SevenNet without the accelerations that need a GPU."""

    recipe = Recipe(learning_rate=0.005, batch=4, energy_weight=1.0, forces_weight=0.1)

    def graph(self, atoms: Atoms) -> AtomGraphData:
        """Return the graph of a structure with matscipy's neighbour list."""
        data = AtomGraphData.from_numpy_dict(
            unlabeled_atoms_to_graph(atoms, self.options.cutoff)
        )
        del data[KEY.INFO]
        return data

    def edges(self, graph: AtomGraphData) -> int:
        """Return the number of directed edges."""
        return graph[KEY.EDGE_IDX].shape[1]

    def collate(self, graphs: list[AtomGraphData]) -> Batch:
        """Return the graphs as one."""
        return Batch.from_data_list(graphs).to(self.options.device)

    def network(self, neighbors: float, scale: float) -> torch.nn.Module:
        """Return the model."""
        if self.options.compile:
            raise SystemExit("SevenNet has no compiled form: leave out --compile")
        profile = PROFILES[self.options.profile]
        names = sevenn.util.chemical_species_preprocess(
            [chemical_symbols[z] for z in self.species]
        )
        config = {
            **deepcopy(const.DEFAULT_E3_EQUIVARIANT_MODEL_CONFIG),
            **names,
            KEY.CUTOFF: self.options.cutoff,
            KEY.NODE_FEATURE_MULTIPLICITY: profile.channels,
            KEY.LMAX: profile.l_max,
            KEY.NUM_CONVOLUTION: profile.layers,
            KEY.IS_PARITY: profile.parity,
            KEY.CONV_DENOMINATOR: neighbors,
            KEY.SHIFT: 0.0,
            KEY.SCALE: scale,
        }
        model = build_E3_equivariant_model(config)
        return Predictor(model)


if __name__ == "__main__":
    packages = ("sevenn", "e3nn", "torch_geometric")
    main(SevenNet, list(PROFILES), {name: version(name) for name in packages})
