import io

import numpy as np
import pytest

from trimpot.errors import InputError
from trimpot.reports.training import plot_training


def history(n, seconds=10.0, **more):
    return [
        {
            "epoch": 2.0 * (k + 1),
            "seconds": seconds * (k + 1),
            "loss": 10.0 / (k + 1),
            "valid_loss": 20.0 / (k + 1),
            "valid_force_rmse": 0.3 / (k + 1),
            **more,
        }
        for k in range(n)
    ]


def drawn(figure):
    figure.savefig(io.BytesIO())
    return {axes.get_title(loc="left"): axes for axes in figure.axes}


def test_a_panel_per_quantity_that_has_labels():
    panels = drawn(plot_training(history(5, valid_energy_rmse=0.01)))
    assert set(panels) == {"loss", "energy, validation", "forces, validation"}
    (line,) = panels["forces, validation"].lines
    np.testing.assert_allclose(line.get_ydata(), [300.0, 150.0, 100.0, 75.0, 60.0])
    np.testing.assert_allclose(line.get_xdata(), [2, 4, 6, 8, 10])


@pytest.mark.parametrize(
    ("seconds", "unit", "factor"),
    [(1.0, "seconds", 1.0), (500.0, "minutes", 60.0), (5000.0, "hours", 3600.0)],
)
def test_time_runs_along_the_epochs(seconds, unit, factor):
    axes = drawn(plot_training(history(5, seconds)))["loss"]
    (upper,) = axes.child_axes
    assert upper.get_xlabel() == unit
    low, high = (np.array(a.get_xlim()) for a in (axes, upper))
    np.testing.assert_allclose(high, low / 2.0 * seconds / factor)


def test_without_validation_frames_there_is_the_loss_alone():
    rows = [{"epoch": 1.0, "seconds": 1.0, "loss": 2.0}]
    assert set(drawn(plot_training(rows))) == {"loss"}
    with pytest.raises(InputError, match="nothing to plot"):
        plot_training([])
