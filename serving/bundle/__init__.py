"""Bundles: the sealed folder of a model, and its checks."""
