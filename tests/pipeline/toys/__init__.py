"""Components of a toy pipeline, whose artifacts are numbers."""
