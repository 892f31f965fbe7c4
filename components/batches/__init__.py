"""Examples -> tf.data: reading rows, their order, augmentation and normalisation."""
