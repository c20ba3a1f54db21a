"""Edges that envelopes and their rivals keep: structures, schemes, a model, trials."""
