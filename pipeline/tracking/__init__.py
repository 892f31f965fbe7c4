"""MLflow, for those who ask for it: what a run was and made, and an alias that follows what serves."""
