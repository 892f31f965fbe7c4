"""The registry: numbered versions of each model, and the pointer to the version that serves."""
