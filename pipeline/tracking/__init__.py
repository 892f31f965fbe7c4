"""Optional: TensorBoard, MLflow's log of runs, and its alias of the version that serves."""
