"""Every call that changes a file fails once: what is served, what is kept, and what is printed."""
