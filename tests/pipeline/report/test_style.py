"""style: the same bytes for the same figure, whatever the user's own matplotlib is like, which stays as it was."""

from __future__ import annotations

import matplotlib
import pytest
from PIL import Image

from pipeline.report.style import drawing, new_figure, save_png


def draw(file):
    with drawing():
        figure = new_figure(2, 1)
        axes = figure.subplots()
        axes.plot([1, 2], [3, 4])
        axes.set_title("a title with $ and $")
        save_png(figure, file)
    return file.read_bytes()


def test_users_settings_neither_show_nor_change(tmp_path):
    usual = draw(tmp_path / "usual.png")
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "black", "savefig.dpi": 10, "lines.linewidth": 9}):
        before = dict(matplotlib.rcParams.copy())
        assert draw(tmp_path / "unusual.png") == usual
        assert dict(matplotlib.rcParams.copy()) == before


def test_settings_are_put_back_after_an_error():
    before = dict(matplotlib.rcParams.copy())
    with pytest.raises(ZeroDivisionError), drawing():
        raise ZeroDivisionError
    assert dict(matplotlib.rcParams.copy()) == before


def test_file_tells_neither_when_nor_with_what_version(tmp_path):
    assert draw(tmp_path / "one.png") == draw(tmp_path / "two.png")
    with Image.open(tmp_path / "one.png") as image:
        assert set(image.info) <= {"dpi", "Software"}
        assert image.info["Software"] == "Beamline"
        assert image.size == (240, 120)
