"""Pictures of what a run made, for a person to look at; a run's verdict never depends on them."""
