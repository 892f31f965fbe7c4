"""The records of runs: their history, their artifacts, and what differs between two of them."""
