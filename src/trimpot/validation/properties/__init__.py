"""Properties of materials: one protocol per module, each returns an ``Outcome``."""
