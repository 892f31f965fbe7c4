"""Several presets on the same data -> which is the most accurate, which differences are significant, and the costs."""
