"""The search for a better recipe: its space, its study, and its trials."""
