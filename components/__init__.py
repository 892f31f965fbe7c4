"""The components: a folder for each step of the pipeline, and their artifacts."""
