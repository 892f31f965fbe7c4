#!/bin/sh
# keras.config.set_floatx changes the type of new layers only until something asks for the dtype policy.
#
# Seen with Keras 3.15.1 (backend jax 0.10.2). The policy is made from floatx when it is first needed, e.g. by the first
# layer, and kept. After that, set_floatx changes floatx() and not the layers:
#   set_floatx("float64"), a layer, set_floatx("float32"), a layer: the second layer has float64 too.
# A test that sets float64 and puts float32 back leaves float64 behind for all later layers of the process;
# set_dtype_policy is what changes them.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
${PYTHON:-python3} -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet install keras==3.15.1 jax==0.10.2 numpy==2.4.6
cat > "$folder/main.py" <<'PYTHON'
import keras

print("Keras", keras.__version__, keras.config.backend())
keras.config.set_floatx("float64")
first = keras.layers.Dense(2).compute_dtype
keras.config.set_floatx("float32")
second = keras.layers.Dense(2).compute_dtype
keras.config.set_dtype_policy("float32")
third = keras.layers.Dense(2).compute_dtype
print("floatx", keras.config.floatx(), "layers", first, second, third)
assert (first, second, third) == ("float64", "float64", "float32")
PYTHON
KERAS_BACKEND=jax KERAS_HOME="$folder/keras" "$folder/venv/bin/python" "$folder/main.py"
