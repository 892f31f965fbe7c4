"""The kinds of files that hold images, and the readers of their rows; no header is trusted."""
