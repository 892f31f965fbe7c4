"""Data sets that come with Beamline, as builders of TensorFlow Datasets."""
