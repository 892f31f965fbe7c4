"""Data set -> Examples: decodes every image once, in one Beam job, into the blocks that all other steps read."""

from components.ingest.ingest import Params, fingerprint, prepare, run

__all__ = ["Params", "fingerprint", "prepare", "run"]
