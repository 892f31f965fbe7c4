"""The peers: the same work in the fewest lines with another library."""
