"""What commands show: log lines, JSON events, the moving line of a terminal, and the summary of a run."""
