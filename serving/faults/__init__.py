"""Failures of the machine: what they are, and the sentences about them."""
