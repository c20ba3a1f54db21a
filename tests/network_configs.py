"""Configurations of networks that train in seconds, and a watcher that remembers."""

TINY = {
    "kind": "mlanet",
    "cutoff": 4.2,
    "layers": 1,
    "channels": 4,
    "l_max": 1,
    "correlation": 2,
    "bessel": 5,
    "radial_hidden": 8,
    "gate_hidden": 4,
    "readout_hidden": 8,
    "pooling": ["sum", "attention"],
}


def quick_network(data_file, output, **sections):
    """A configuration that trains in seconds."""
    values = {
        "data": {
            "path": str(data_file),
            "split": {"kind": "field", "field": "fold", "train": [0, 1, 2], "test": 3},
        },
        "model": TINY,
        "training": {
            "epochs": 25,
            "batch_size": 2,
            "validation": 2,
            "validations": 8,
            "device": "cpu",
            "learning_rate": 0.02,
            "warmup_steps": 20,
        },
        "output": str(output),
        "threads": 1,
        "figures": False,
    }
    return {**values, **sections}


class Notes:
    def __init__(self):
        self.lines = []

    def note(self, text):
        self.lines.append(text)

    def progress(self, stage, done, total):
        pass
