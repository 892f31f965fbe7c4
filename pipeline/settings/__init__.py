"""Flags, presets and data set -> the configuration of a run."""
