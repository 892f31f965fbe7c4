"""Drawings: the cache, what is needed of it, and the process that fills it ahead."""
