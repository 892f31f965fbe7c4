"""Folders of pictures: files are read, inspected and decoded in parts, by other processes where that is faster."""
