"""Native core of Trimpot: neighbour lists, kernels, design-matrix rows."""

from collections.abc import Sequence
from typing import Annotated

import numpy
from numpy.typing import NDArray


def build_neighbors(positions: Annotated[NDArray[numpy.float64], dict(shape=(None, 3), order='C', device='cpu', writable=False)], cell: Annotated[NDArray[numpy.float64], dict(shape=(3, 3), order='C', device='cpu', writable=False)], pbc: Annotated[NDArray[numpy.bool_], dict(shape=(3), order='C', device='cpu', writable=False)], cutoff: float, threads: int = 1) -> tuple[Annotated[NDArray[numpy.float64], dict(shape=(None, 3))], Annotated[NDArray[numpy.int32], dict(shape=(None,))], Annotated[NDArray[numpy.int32], dict(shape=(None, 3))], Annotated[NDArray[numpy.int64], dict(shape=(None,))], Annotated[NDArray[numpy.int32], dict(shape=(None,))]]:
    """
    Return (positions, owners, shifts, first, neighbors) of local and ghost atoms.
    """

def refresh_positions(positions_all: Annotated[NDArray[numpy.float64], dict(shape=(None, 3), order='C', device='cpu')], owners: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], shifts: Annotated[NDArray[numpy.int32], dict(shape=(None, 3), order='C', device='cpu', writable=False)], positions: Annotated[NDArray[numpy.float64], dict(shape=(None, 3), order='C', device='cpu', writable=False)], cell: Annotated[NDArray[numpy.float64], dict(shape=(3, 3), order='C', device='cpu', writable=False)]) -> None:
    """Write positions[owners] + shifts @ cell into positions_all."""

def largest_displacement(positions: Annotated[NDArray[numpy.float64], dict(shape=(None, 3), order='C', device='cpu', writable=False)], build_positions: Annotated[NDArray[numpy.float64], dict(shape=(None, 3), order='C', device='cpu', writable=False)], deformation: Annotated[NDArray[numpy.float64], dict(shape=(3, 3), order='C', device='cpu', writable=False)]) -> float:
    """
    Return the largest |u - mean(u)| of u = positions - build_positions @ deformation.
    """

class Term:
    """One term of a potential; see native/core/term.hpp."""

    @property
    def cutoff(self) -> float: ...

    @property
    def n_columns(self) -> int: ...

    @property
    def n_limits(self) -> int: ...

def one_body(columns: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], n_columns: int, coefficients: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> Term: ...

def pair_spline(n_species: int, table: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], knots: Sequence[Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)]], columns: Sequence[Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)]], n_columns: int, coefficients: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> Term: ...

def triplet_spline(n_species: int, table: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], knots_ij: Sequence[Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)]], knots_ik: Sequence[Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)]], knots_jk: Sequence[Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)]], columns: Sequence[Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)]], n_columns: int, coefficients: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> Term: ...

def zbl(numbers: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], inner: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], outer: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> Term: ...

def density(n_species: int, order: int, l_max: int, triples: bool, mixed: bool, n_radial: int, low: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], high: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], n_angular: int, angular_low: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], angular_high: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], limits: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], n_columns: int, coefficients: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> Term: ...

def density_couplings(l_max: int) -> list[tuple[list[int], list[float], list[int]]]:
    """
    Return (degrees, factors, components) of each coupling of three components of densities.
    """

class Screening:
    """Weights of neighbours from third atoms; see native/core/specs.hpp."""

    def __init__(self, n_species: int, c_min: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], c_max: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], kind: int, softmin: bool, inner: float, outer: float) -> None: ...

def screened(screening: Screening, term: Term) -> Term: ...

def evaluate(terms: Sequence[Term], positions: Annotated[NDArray[numpy.float64], dict(shape=(None, 3), order='C', device='cpu', writable=False)], species: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], owners: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], first: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], neighbors: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], energies: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu')], forces: Annotated[NDArray[numpy.float64], dict(shape=(None, 3), order='C', device='cpu')], virial: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu')], threads: int) -> None: ...

def atom_rows(terms: Sequence[Term], positions: Annotated[NDArray[numpy.float64], dict(shape=(None, 3), order='C', device='cpu', writable=False)], species: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], first: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], neighbors: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], begin: int, rows: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu')], threads: int) -> None:
    """Write the energies of local atoms from begin on by each coefficient."""

class Follower:
    """Evaluates a structure that moves; see native/core/follower.hpp."""

    def __init__(self, terms: Sequence[Term], cutoff: float, skin: float, mixed: bool, threads: int) -> None: ...

    def build(self, positions: Annotated[NDArray[numpy.float64], dict(shape=(None, 3), order='C', device='cpu', writable=False)], species: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], cell: Annotated[NDArray[numpy.float64], dict(shape=(3, 3), order='C', device='cpu', writable=False)], pbc: Annotated[NDArray[numpy.bool_], dict(shape=(3), order='C', device='cpu', writable=False)]) -> None: ...

    def age(self, positions: Annotated[NDArray[numpy.float64], dict(shape=(None, 3), order='C', device='cpu', writable=False)], deformation: Annotated[NDArray[numpy.float64], dict(shape=(3, 3), order='C', device='cpu', writable=False)], smallest: float) -> int: ...

    def evaluate(self, positions: Annotated[NDArray[numpy.float64], dict(shape=(None, 3), order='C', device='cpu', writable=False)], cell: Annotated[NDArray[numpy.float64], dict(shape=(3, 3), order='C', device='cpu', writable=False)], age: int, energies: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu')], forces: Annotated[NDArray[numpy.float64], dict(shape=(None, 3), order='C', device='cpu')], virial: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu')]) -> bool: ...

    def forces(self, positions: Annotated[NDArray[numpy.float64], dict(shape=(None, 3), order='C', device='cpu', writable=False)], cell: Annotated[NDArray[numpy.float64], dict(shape=(3, 3), order='C', device='cpu', writable=False)], age: int, forces: Annotated[NDArray[numpy.float64], dict(shape=(None, 3), order='C', device='cpu')]) -> bool: ...

    @property
    def bytes(self) -> int: ...

def instruction_sets() -> list[str]:
    """Instruction sets that this processor can run, best first."""

def instruction_set() -> str:
    """Instruction set in use."""

def screening_partials(screening: Screening, span: float, first: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], vectors: Annotated[NDArray[numpy.float64], dict(shape=(None, 3), order='C', device='cpu', writable=False)], species: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], ends: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], reach: float, threads: int) -> tuple[Annotated[NDArray[numpy.bool_], dict(shape=(None,))], Annotated[NDArray[numpy.int64], dict(shape=(None,))], Annotated[NDArray[numpy.int64], dict(shape=(None,))], Annotated[NDArray[numpy.float64], dict(shape=(None,))]]:
    """
    Return (alive, screened, screening, x): edges that nothing screens entirely, and pairs ij, ik of them that
    k screens in part with span added to C_max; x is 0 at C_min, 1 at C_max.
    """

class EdgeWeighing:
    """Weights of edges; see native/core/edge_weights.hpp."""

    def __init__(self, kind: int, cutoff: float, power: int, screening: Screening | None) -> None: ...

def weighted_edges(weighing: EdgeWeighing, species: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], first: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], neighbors: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], vectors: Annotated[NDArray[numpy.float64], dict(shape=(None, 3), order='C', device='cpu', writable=False)], threads: int) -> tuple[Annotated[NDArray[numpy.int64], dict(shape=(None,))], Annotated[NDArray[numpy.int64], dict(shape=(None,))], Annotated[NDArray[numpy.int32], dict(shape=(None,))], Annotated[NDArray[numpy.float64], dict(shape=(None, 3))], Annotated[NDArray[numpy.float64], dict(shape=(None,))], Annotated[NDArray[numpy.float64], dict(shape=(None, 3))], Annotated[NDArray[numpy.int64], dict(shape=(None,))], Annotated[NDArray[numpy.int32], dict(shape=(None,))], Annotated[NDArray[numpy.float64], dict(shape=(None, 3))], Annotated[NDArray[numpy.float64], dict(shape=(None, 3))]]:
    """
    Return (first, index, neighbors, vectors, weights, slopes, screened, screening, to_screening,
    screening_slopes) of the pairs of atoms that have a weight.
    """

class Network:
    """An attention network; see src/trimpot/networks/mlanet."""

    @property
    def layout(self) -> list[tuple[str, int, int, int]]:
        """Name, begin, rows and columns of each block of parameters."""

    def set_parameters(self, values: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> None: ...

    def alone(self) -> Annotated[NDArray[numpy.float64], dict(shape=(None,))]:
        """Return the energies of one atom of each species without neighbours."""

    def evaluate(self, species: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], first: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], neighbors: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], vectors: Annotated[NDArray[numpy.float64], dict(shape=(None, 3), order='C', device='cpu', writable=False)], weights: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], energies: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu')], vector_gradient: Annotated[NDArray[numpy.float64], dict(shape=(None, 3), order='C', device='cpu')], weight_gradient: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu')], threads: int) -> None:
        """
        Write energies of atoms and the gradient of their sum by vectors and weights of edges.
        """

    def evaluate_neighborhood(self, weighing: EdgeWeighing, species: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], positions: Annotated[NDArray[numpy.float64], dict(shape=(None, 3), order='C', device='cpu', writable=False)], owners: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], first: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], neighbors: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], energies: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu')], forces: Annotated[NDArray[numpy.float64], dict(shape=(None, 3), order='C', device='cpu')], virial: Annotated[NDArray[numpy.float64], dict(shape=(None, 3), order='C', device='cpu')], threads: int) -> None:
        """
        Write energies of atoms, forces, and -dE/d(strain), of atoms and their images.
        """

    def evaluate_pairs(self, weighing: EdgeWeighing, species: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], first: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], neighbors: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], vectors: Annotated[NDArray[numpy.float64], dict(shape=(None, 3), order='C', device='cpu', writable=False)], structures: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], energies: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu')], forces: Annotated[NDArray[numpy.float64], dict(shape=(None, 3), order='C', device='cpu')], virials: Annotated[NDArray[numpy.float64], dict(shape=(None, 3, 3), order='C', device='cpu')], threads: int) -> None:
        """Write the same of structures, from pairs of atoms with their vectors."""

    def add_parameter_gradient(self, species: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], first: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], neighbors: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], vectors: Annotated[NDArray[numpy.float64], dict(shape=(None, 3), order='C', device='cpu', writable=False)], weights: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], seeds: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], along_vectors: Annotated[NDArray[numpy.float64], dict(shape=(None, 3), order='C', device='cpu', writable=False)], along_weights: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], gradient: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu')]) -> None:
        """
        Add the gradient by the parameters of seeds . energies + the derivative of their sum along tangents.
        """

def network(precision: str, n_species: int, channels: int, l_max: int, layers: int, correlation: int, knots: int, gate_hidden: int, readout_hidden: int, heads: int, pooling: Sequence[int], pooling_of_channel: Sequence[int], n_paths: int, couplings: Sequence[tuple[int, int, int, int, float]], cutoff: float, mean_weight: float, scale: float) -> Network:
    """Return a network; its parameters are 0."""

def design_rows(terms: Sequence[Term], offsets: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], positions: Annotated[NDArray[numpy.float64], dict(shape=(None, 3), order='C', device='cpu', writable=False)], species: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], cells: Annotated[NDArray[numpy.float64], dict(shape=(None, 3, 3), order='C', device='cpu', writable=False)], pbc: Annotated[NDArray[numpy.bool_], dict(shape=(None, 3), order='C', device='cpu', writable=False)], energy_row: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], force_row: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], stress_row: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], energy_scale: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], force_scale: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], stress_scale: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], energy: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu')], forces: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu')], stress: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu')], threads: int) -> None: ...

def evaluate_frames(terms: Sequence[Term], offsets: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], positions: Annotated[NDArray[numpy.float64], dict(shape=(None, 3), order='C', device='cpu', writable=False)], species: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], cells: Annotated[NDArray[numpy.float64], dict(shape=(None, 3, 3), order='C', device='cpu', writable=False)], pbc: Annotated[NDArray[numpy.bool_], dict(shape=(None, 3), order='C', device='cpu', writable=False)], energies: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu')], forces: Annotated[NDArray[numpy.float64], dict(shape=(None, 3), order='C', device='cpu')], virials: Annotated[NDArray[numpy.float64], dict(shape=(None, 3, 3), order='C', device='cpu')], threads: int) -> None: ...

def ranges(term: Term, offsets: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], positions: Annotated[NDArray[numpy.float64], dict(shape=(None, 3), order='C', device='cpu', writable=False)], species: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], cells: Annotated[NDArray[numpy.float64], dict(shape=(None, 3, 3), order='C', device='cpu', writable=False)], pbc: Annotated[NDArray[numpy.bool_], dict(shape=(None, 3), order='C', device='cpu', writable=False)], largest: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu')], threads: int) -> None: ...

def pair_statistics(offsets: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], positions: Annotated[NDArray[numpy.float64], dict(shape=(None, 3), order='C', device='cpu', writable=False)], species: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], cells: Annotated[NDArray[numpy.float64], dict(shape=(None, 3, 3), order='C', device='cpu', writable=False)], pbc: Annotated[NDArray[numpy.bool_], dict(shape=(None, 3), order='C', device='cpu', writable=False)], n_species: int, cutoff: float, smallest: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu')], histogram: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu')], threads: int) -> None: ...

def read_terms(path: str) -> tuple[list[int], float, list[Term], list[float]]:
    """
    Return (atomic numbers, cutoff, terms, energies of isolated atoms) of a file of a spline potential, read
    without Python.
    """

def read_network(path: str, precision: str) -> tuple[list[int], float, list[float], Network, EdgeWeighing, list[Term] | None]:
    """
    Return (atomic numbers, cutoff, energies of isolated atoms, network, weighing, terms of the prior) of a
    file of a network, read without Python; precision: single or double.
    """
