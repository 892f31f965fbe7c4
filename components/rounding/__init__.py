"""What the trained weights say in float64, and how far float32 may differ from it."""
