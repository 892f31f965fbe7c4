"""What a command takes: its parser, and the ranges of its numbers."""
