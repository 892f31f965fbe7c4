#!/bin/sh
# numpy.load in two threads raises SystemError in CPython 3.11, if a callback of the garbage collector is registered.
#
# Seen with CPython 3.11.7 and numpy 2.4.6; not with CPython 3.12.1 and 3.13.0.
# numpy.load parses the header of a .npy file with ast.literal_eval. While CPython 3.11 builds a syntax tree, the collector
# may run; a callback written in Python (hypothesis registers one in gc.callbacks) then lets another
# thread build its own tree, and both count their depth in one place. One of them fails, with a file that is in order:
#   SystemError: AST constructor recursion depth mismatch (before=27, after=25)
# Reading the same files in one thread, or under a lock, always works.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
${PYTHON:-python3} -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet install numpy==2.4.6
cat > "$folder/main.py" <<'PYTHON'
import gc
import sys
import threading

import numpy as np

assert sys.version_info[:2] == (3, 11), f"this is about CPython 3.11, not {sys.version.split()[0]}"
file = f"{sys.argv[1]}/zeros.npy"
np.save(file, np.zeros(4))
errors, lock = [], threading.Lock()


def load(times, locked):
    for _ in range(times):
        if errors:
            return
        try:
            if locked:
                with lock:
                    np.load(file)
            else:
                np.load(file)
        except SystemError as error:
            errors.append(str(error))


def in_two_threads(times, locked):
    threads = [threading.Thread(target=load, args=(times, locked)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


gc.callbacks.append(lambda phase, info: [None for _ in range(3)])
gc.set_threshold(1)
sys.setswitchinterval(1e-6)
in_two_threads(2000, locked=True)
assert not errors, errors
in_two_threads(20000, locked=False)
print("CPython", sys.version.split()[0], "numpy", np.__version__, errors)
assert errors and "AST constructor recursion depth mismatch" in errors[0], "it did not fail"
PYTHON
"$folder/venv/bin/python" "$folder/main.py" "$folder"
