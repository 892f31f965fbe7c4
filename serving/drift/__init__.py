"""Drift of scored images from the training images."""
