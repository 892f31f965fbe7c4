"""Array files for the tests: opened, or refused with a message."""

from __future__ import annotations

import pytest

from serving.batch.inputs.array_images import open_array_images
from serving.batch.inputs.open_file import open_file
from serving.errors import InputError
from tests.serving.tiny_bundle import random_images


def opened(path, content=None):
    if content is not None:
        path.write_bytes(content)
    return open_array_images(open_file(path))


def refusal(path, content=None):
    """The message of the refusal: one line that starts with the path."""
    with pytest.raises(InputError) as caught:
        opened(path, content)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message


IMAGES = random_images(2)


def header(shape="(2, 4, 3, 2)", descr="'|u1'", order="False"):
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n"
