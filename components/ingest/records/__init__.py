"""TFRecord files and tf.Example, read without TensorFlow."""
