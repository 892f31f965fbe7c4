"""Data sets in arrays: .npz files and IDX files."""
