"""One file per component: what each step of the pipeline does."""
