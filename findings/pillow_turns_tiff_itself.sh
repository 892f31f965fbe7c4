#!/bin/sh
# Pillow turns a TIFF picture by its orientation when it loads it, and no other kind of picture.
#
# Seen with Pillow 12.3.0. A picture of 40 × 24 pixels with EXIF orientation 6 (turn it by 90 degrees):
#   JPEG, WebP, PNG: the size is (40, 24) before and after load(), and getexif() has orientation 6 both times.
#   TIFF: the size is (24, 40) from the start, getexif() has orientation 6 before load() and none after it, and the
#   pixels are turned.
# A program that reads the orientation, loads the pixels and turns them is right for JPEG, and turns TIFF twice.
# ImageOps.exif_transpose is right for all of them, because it loads before it looks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
${PYTHON:-python3} -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet install pillow==12.3.0
cat > "$folder/main.py" <<'PYTHON'
import io

import PIL
from PIL import Image

ORIENTATION = 0x0112
print("Pillow", PIL.__version__)
for kind in ("JPEG", "WEBP", "PNG", "TIFF"):
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    content = io.BytesIO()
    Image.new("RGB", (40, 24)).save(content, kind, exif=exif)
    picture = Image.open(content)
    before = picture.size, picture.getexif().get(ORIENTATION)
    picture.load()
    after = picture.size, picture.getexif().get(ORIENTATION)
    print(kind, before, after)
    upright = ((24, 40), 6), ((24, 40), None)
    stored = ((40, 24), 6), ((40, 24), 6)
    assert (before, after) == (upright if kind == "TIFF" else stored)
PYTHON
"$folder/venv/bin/python" "$folder/main.py"
