"""Kinds of files that hold images, and how rows are read from them, whatever the files claim to be."""
