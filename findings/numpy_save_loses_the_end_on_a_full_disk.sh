#!/bin/sh
# numpy.save loses the end of an array without an error if the disk becomes full there.
#
# Seen with numpy 2.4.6 on Linux. A file may have 4,096 bytes here, as on a disk with so much left:
#   500 numbers of 8 bytes need 4,128 bytes: numpy.save returns, the file has 4,096 bytes, and numpy.load cannot read it.
#   600 numbers: OSError('600 requested and 496 written'), whose errno is None, so a comparison with ENOSPC is False.
#   Python's own file object raises OSError with an errno in both cases: 27 here, 28 on a full disk.
# numpy writes through a C stream: the last buffer is written when that is closed, and the answer is not looked at.
# ndarray.tofile does the same. Writing the header with numpy.lib.format and the bytes with file.write() is safe.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
${PYTHON:-python3} -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet install numpy==2.4.6
cat > "$folder/main.py" <<'PYTHON'
import errno
import os
import resource
import signal
import sys

import numpy as np

LIMIT = 4096
file = f"{sys.argv[1]}/array.npy"
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def outcome(write, values):
    try:
        write(file, values)
    except OSError as error:
        return error.errno, str(error)
    return None


def by_python(file, values):
    with open(file, "wb") as opened:
        np.lib.format.write_array_header_1_0(opened, np.lib.format.header_data_from_array_1_0(values))
        opened.write(values.data)


print("numpy", np.__version__)
for count, expected in ((400, None), (500, None), (600, (None, "600 requested and 496 written"))):
    values = np.arange(count, dtype=np.int64)
    seen = outcome(np.save, values)
    size = os.path.getsize(file)
    safe = outcome(by_python, values)
    print(count, "numbers:", 128 + values.nbytes, "bytes,", size, "in the file;", seen, "by Python:", safe)
    assert seen == expected
    assert size == min(LIMIT, 128 + values.nbytes)
    assert (safe is None) == (128 + values.nbytes <= LIMIT)
    assert safe is None or safe[0] == errno.EFBIG
PYTHON
"$folder/venv/bin/python" "$folder/main.py" "$folder"
