"""Functions from artifacts to a matplotlib Figure, and the list of a run's figures."""
