"""Time, or train, a MACE model: run with a Python that has mace-torch."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version

import mace.modules
import mace.tools
import numpy as np
import torch
from ase import Atoms
from driving import Options, Peer, Prediction, Recipe, main
from e3nn import o3  # after mace, which lets torch load the constants of e3nn 0.4
from mace.data import AtomicData, config_from_atoms
from mace.tools import torch_geometric
from mace.tools.compile import prepare


@dataclass(frozen=True)
class Profile:
    """Hyperparameters that differ; the others are the defaults of ``mace_run_train``."""

    features: str
    correlation: int = 3
    layers: int = 2
    max_ell: int = 3


PROFILES = {
    "mace-64x0e+64x1o": Profile("64x0e + 64x1o"),
    "mace-64x0e": Profile("64x0e"),
    "mace-32x0e": Profile("32x0e"),
    "mace-64x0e-l2": Profile("64x0e", max_ell=2),
}


class Predictor(torch.nn.Module):
    """A MACE model that gives energies and forces alone."""

    def __init__(self, model: torch.nn.Module, *, traced: bool) -> None:
        super().__init__()
        self.model, self.traced = model, traced

    def forward(self, data: dict[str, torch.Tensor]) -> Prediction:
        """Return energies and forces; a traced model keeps its graph, as in MACE."""
        out = self.model(dict(data), training=self.training or self.traced)
        return out["energy"], out["forces"]


class Mace(Peer):
    """MACE with scale and shift."""

    recipe = Recipe(
        learning_rate=0.01,
        batch=10,
        energy_weight=1.0,
        forces_weight=100.0,
        amsgrad=True,
        average=0.99,
        clip=10.0,
        decay=5e-7,
        decayed=r"interactions.*(linear|skip_tp_full)\.weight|products",
    )

    def __init__(self, options: Options, species: list[int]) -> None:
        super().__init__(options, species)
        self.table = mace.tools.AtomicNumberTable(species)

    def graph(self, atoms: Atoms) -> AtomicData:
        """Return the graph of a structure with matscipy's neighbour list."""
        return AtomicData.from_config(
            config_from_atoms(atoms), z_table=self.table, cutoff=self.options.cutoff
        )

    def edges(self, graph: AtomicData) -> int:
        """Return the number of directed edges."""
        return graph.edge_index.shape[1]

    def collate(self, graphs: list[AtomicData]) -> dict[str, torch.Tensor]:
        """Return the graphs as one dictionary of tensors."""
        batch = torch_geometric.Batch.from_data_list(graphs).to(self.options.device)
        data = batch.to_dict()
        data["positions"].requires_grad_(requires_grad=True)
        return data

    def network(self, neighbors: float, scale: float) -> torch.nn.Module:
        """Return the model, compiled if so wished."""

        def build() -> torch.nn.Module:
            profile = PROFILES[self.options.profile]
            block = mace.modules.interaction_classes["RealAgnosticResidualInteractionBlock"]
            return mace.modules.ScaleShiftMACE(
                r_max=self.options.cutoff,
                num_bessel=8,
                num_polynomial_cutoff=5,
                max_ell=profile.max_ell,
                interaction_cls=block,
                interaction_cls_first=block,
                num_interactions=profile.layers,
                num_elements=len(self.species),
                hidden_irreps=o3.Irreps(profile.features),
                MLP_irreps=o3.Irreps("16x0e"),
                gate=torch.nn.functional.silu,
                atomic_energies=np.zeros(len(self.species)),
                avg_num_neighbors=neighbors,
                atomic_numbers=self.species,
                correlation=profile.correlation,
                atomic_inter_scale=scale,
                atomic_inter_shift=0.0,
            )

        if self.options.kernels:
            # imported here: it asks for cuequivariance as soon as it is imported
            from mace.cli.convert_e3nn_cueq import run

            model = run(build(), device=self.options.device).to(self.options.device)
            return Predictor(model, traced=False)
        if not self.options.compile:
            return Predictor(build(), traced=False)
        model = prepare(build)()
        model.compile()
        return Predictor(model, traced=True)


if __name__ == "__main__":
    packages = ("mace-torch", "e3nn", "matscipy")
    main(Mace, list(PROFILES), {name: version(name) for name in packages})
