"""digits: 1,797 handwritten digits of 8×8 pixels, for a machine without a network."""
