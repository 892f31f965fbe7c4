"""Ratios, each measured against its peer in one run: rates alone drift from machine to machine."""
