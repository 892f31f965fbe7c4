"""A bare Keras script of the default recipe: read MNIST's arrays, fit, evaluate, and nothing else."""

import sys

import keras
import numpy as np

FILE, EPOCHS = sys.argv[1], int(sys.argv[2])

with np.load(FILE) as arrays:
    x_train, y_train = arrays["x_train"], arrays["y_train"]
    x_test, y_test = arrays["x_test"], arrays["y_test"]
x_train, x_test = x_train / 255, x_test / 255
y_train, y_test = keras.utils.to_categorical(y_train, 10), keras.utils.to_categorical(y_test, 10)
model = keras.Sequential(
    [
        keras.layers.Input((28, 28)),
        keras.layers.Flatten(),
        keras.layers.Dense(128, activation="relu"),
        keras.layers.Dense(128, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=40, epochs=EPOCHS, verbose=2)
print(model.evaluate(x_test, y_test, verbose=0))
