"""The kinds of things that components make, one kind a file; only a kind knows the format of its files."""
