"""What runs, in which order, and its records."""
