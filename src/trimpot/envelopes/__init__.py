"""Envelopes: smooth weights of pairs, radial and three-body.

A radial envelope makes a pair vanish at the cutoff; a triplet envelope (screening) makes
it vanish when third atoms stand between; a budgeted envelope keeps the sum of an atom's
weights below a target. A pair whose weight is exactly zero leaves the list, and because
every contribution of a pair carries its weight, energy is conserved. This room knows
nothing of models.
"""

from trimpot.envelopes.budget import BudgetedEnvelope
from trimpot.envelopes.radial import RadialEnvelope
from trimpot.envelopes.settings import EnvelopeSettings
from trimpot.envelopes.triplet import TripletEnvelope

__all__ = ["BudgetedEnvelope", "EnvelopeSettings", "RadialEnvelope", "TripletEnvelope"]
