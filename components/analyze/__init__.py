"""Examples -> Statistics: exact counts over all pixels and labels, and all duplicates, in one Beam job."""

from components.analyze.analyze import run

__all__ = ["run"]
