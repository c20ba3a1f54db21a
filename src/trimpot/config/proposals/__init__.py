"""A configuration chosen from data: files, species, cutoffs, knots, E0s, split."""

from trimpot.config.proposals.choice import Choice
from trimpot.config.proposals.proposal import Proposal, propose
from trimpot.config.proposals.recipes import RECIPES, Recipe
from trimpot.config.proposals.splitting import is_for_test
from trimpot.config.proposals.writing import written

__all__ = ["RECIPES", "Choice", "Proposal", "Recipe", "is_for_test", "propose", "written"]
