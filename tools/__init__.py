"""Programs that make or check the documents; none of them is installed."""
