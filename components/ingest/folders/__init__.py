"""Data sets in folders of pictures."""
