"""Several recipes on the same data -> which is better, how sure that is, and what each costs."""
