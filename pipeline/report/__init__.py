"""Reports of a run for people: pictures, model card and list of runs; a run's verdict never depends on them."""
