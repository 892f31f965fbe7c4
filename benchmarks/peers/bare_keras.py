"""Arrays, a recipe -> a trained network, as a bare Keras script makes it; the seconds of its training are printed."""

import sys
import time

import keras
import numpy as np

file, recipe, epochs = sys.argv[1], sys.argv[2], int(sys.argv[3])

with np.load(file) as arrays:
    x_train, y_train = arrays["x_train"] / 255, keras.utils.to_categorical(arrays["y_train"], 10)
    x_test, y_test = arrays["x_test"] / 255, keras.utils.to_categorical(arrays["y_test"], 10)
started = time.perf_counter()
if recipe == "cnn":
    batch_size = 64
    network = keras.Sequential(
        [
            keras.layers.Input((28, 28, 1)),
            keras.layers.Conv2D(16, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(2, padding="same"),
            keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(2, padding="same"),
            keras.layers.Flatten(),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
else:
    batch_size = 40
    network = keras.Sequential(
        [
            keras.layers.Input((28, 28, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
network.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
network.fit(x_train, y_train, batch_size=batch_size, epochs=epochs, verbose=2)
seconds = time.perf_counter() - started
print(network.evaluate(x_test, y_test, verbose=0))
print(seconds)
