"""The search for a better recipe: what is tried, what is remembered of it, and how one trial is made."""
