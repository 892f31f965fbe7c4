"""Ratios to peers, measured in the same run: absolute rates differ between machines."""
