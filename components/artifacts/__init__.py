"""The kinds of artifacts, one in each module: the only readers and writers of their files."""
