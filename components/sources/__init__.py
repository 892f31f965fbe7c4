"""Where images come from: TensorFlow Datasets, a folder for each class, or arrays."""
