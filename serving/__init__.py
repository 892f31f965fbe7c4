"""The promoted model and its batch scorer: numpy and onnxruntime, neither TensorFlow nor Beam."""
