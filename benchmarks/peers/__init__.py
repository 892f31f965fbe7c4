"""What Beamline is measured against: the same work in the fewest lines of somebody else's."""
