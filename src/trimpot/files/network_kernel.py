"""What programs without Python make a network from: sizes and parameters of its kernel.

Both follow from settings and weights. They are stored when a network is saved, so that no
other program has to know how.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trimpot.envelopes.radial import RadialEnvelope
from trimpot.errors import FileFormatError
from trimpot.files.encoding import flatten
from trimpot.networks.mlanet.kernel import empty_kernel, flat_parameters
from trimpot.networks.mlanet.kernel_shape import KernelShape
from trimpot.splines.state_checks import array, fields

if TYPE_CHECKING:
    from trimpot.files.encoding import Json, Tensors
    from trimpot.networks.mlanet.settings import MLANetSettings
    from trimpot.networks.potential import NetworkPotential

KERNEL = "kernel"
"""Field of the document."""

LAYOUT = 1
"""Of the parameters; native/files/network_document.cpp reads it."""

CLOSE = 1e-5
"""How far stored numbers may lie from those of the weights, over the largest: functions
of the radial networks round differently elsewhere."""


def kernel_document(potential: NetworkPotential, tensors: Tensors) -> dict[str, Json]:
    """Return the field, and add its tensors; empty for a network that only torch computes.

    Networks that tell total charges apart have none either.
    """
    state = kernel_state(potential)
    return {} if state is None else {KERNEL: flatten(state, KERNEL, tensors)}


def check_kernel(found: object, potential: NetworkPotential) -> None:
    """Compare a stored kernel with what the weights say.

    One with another layout belongs to programs of another release and is not looked at.

    Raises
    ------
    FileFormatError
        Names the part that differs.
    """
    expected = kernel_state(potential)
    if expected is None:
        raise FileFormatError(f"{KERNEL}: found one, expected none of such a network")
    if not isinstance(found, dict) or type(found.get("layout")) is not int:
        raise FileFormatError(f"{KERNEL}: expected a mapping with a layout")
    if found["layout"] == LAYOUT:
        _require_same(found, expected, KERNEL)


def kernel_state(potential: NetworkPotential) -> dict[str, object] | None:
    """Return sizes, edge weights and parameters; None without a compiled kernel."""
    settings, n = potential.settings, len(potential.species)
    if potential.charges is not None or not settings.compiled:
        return None
    kernel = empty_kernel(
        settings,
        n,
        mean_weight=float(potential.mean_weight),
        scale=float(potential.scale),
        precision="double",
    )
    return {
        "layout": LAYOUT,
        **_sizes(settings),
        "weighing": _weighing(settings, potential.species),
        "parameters": flat_parameters(settings, n, kernel, potential.state),
    }


def _sizes(settings: MLANetSettings) -> dict[str, object]:
    shape = KernelShape.of(settings)
    places = [entry[:4] for entry in shape.couplings]
    return {
        "channels": shape.widths.channels,
        "l_max": settings.l_max,
        "layers": settings.layers,
        "correlation": settings.correlation,
        "knots": settings.knots,
        "gate_hidden": shape.widths.gate,
        "readout_hidden": shape.widths.readout,
        "heads": shape.heads,
        "pooling": list(shape.pooling),
        "pooling_of_channel": list(shape.pooling_of_channel),
        "n_paths": shape.n_paths,
        "coupling_places": np.array(places, dtype=np.int32).reshape(-1, 4),
        "coupling_factors": np.array([entry[4] for entry in shape.couplings]),
    }


def _weighing(settings: MLANetSettings, species: tuple[int, ...]) -> dict[str, object]:
    radial = RadialEnvelope(settings.cutoff, settings.radial)
    return {
        "radial": radial.kind,
        "power": int(radial.power),
        "cutoff": float(radial.cutoff),
        "envelope": _envelope(settings, species),
    }


def _envelope(
    settings: MLANetSettings, species: tuple[int, ...]
) -> dict[str, object] | None:
    if settings.envelope is None:
        return None
    envelope = settings.envelope.build(species)
    ends = {"inner": float(envelope.inner), "outer": float(envelope.outer)}
    return {**envelope.state(), **ends}


def _require_same(found: object, expected: object, where: str) -> None:
    """Refuse what differs from what is expected, in nested mappings."""
    if isinstance(expected, dict):
        for name, value in fields(found, tuple(expected), where).items():
            _require_same(value, expected[name], f"{where}.{name}")
    elif isinstance(expected, np.ndarray):
        values = array(found, expected.dtype, where)
        bound = CLOSE * np.abs(expected).max(initial=0.0)
        same = values.shape == expected.shape
        if not same or (np.abs(values - expected) > bound).any():
            raise FileFormatError(f"{where}: other numbers than settings and weights give")
    elif type(found) is not type(expected) or found != expected:
        raise FileFormatError(
            f"{where}: found {found!s:.40}, expected {expected!s:.40} of these settings"
        )
