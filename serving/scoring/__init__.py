"""Scoring: bundle + images -> probabilities."""
