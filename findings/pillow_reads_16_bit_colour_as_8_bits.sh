#!/bin/sh
# Pillow opens a PNG file with colours of 16 bits as 8 bits, without a warning; a grey one keeps its 16 bits.
#
# Seen with Pillow 12.3.0 and pypng 0.20220715.0. The documentation lists the modes for each format, but opening tells
# nothing: the mode is RGB, as for a file with 8 bits, and the pixels are the high bytes. The grey file has the mode I;16
# and its values, and convert("L") or convert("RGB") cuts every value above 255 to 255 instead of dividing.
# A program that must not lose bits reads the depth from the file's header itself.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
${PYTHON:-python3} -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet install pillow==12.3.0 pypng==0.20220715.0
cat > "$folder/main.py" <<'PYTHON'
import sys

import PIL
import png
from PIL import Image

folder = sys.argv[1]
values = [0, 255, 256, 4096, 40_000, 65_535]
png.Writer(2, 1, greyscale=False, bitdepth=16).write_array(open(f"{folder}/colour.png", "wb"), values)
png.Writer(6, 1, greyscale=True, bitdepth=16).write_array(open(f"{folder}/grey.png", "wb"), values)
colour, grey = Image.open(f"{folder}/colour.png"), Image.open(f"{folder}/grey.png")
read = [value for pixel in colour.get_flattened_data() for value in pixel]
kept, cut = list(grey.get_flattened_data()), list(grey.convert("L").get_flattened_data())
print("Pillow", PIL.__version__, "values", values)
print("colour:", colour.mode, read)
print("grey:", grey.mode, kept, "converted to L:", cut)
assert colour.mode == "RGB" and read == [value >> 8 for value in values]
assert grey.mode == "I;16" and kept == values
assert cut == [min(value, 255) for value in values]
PYTHON
"$folder/venv/bin/python" "$folder/main.py" "$folder"
