"""style: the same figure has the same bytes with any matplotlibrc, and an SVG has the colours of the page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from xml.etree import ElementTree

import matplotlib
import pytest
from PIL import Image

from pipeline.report.figures.style import BLUE, drawing, new_figure, single_axes, to_png, to_svg
from tests.conftest import ROOT

NO_HOME = """
import pwd

def unknown(user):
    raise KeyError(user)

pwd.getpwuid = unknown
"""
DRAW = "from pipeline.report.figures.style import drawing, new_figure, to_png\nwith drawing():\n"
DRAW += "    print(to_png(new_figure(1, 1))[:4].hex(), end='')"
HOSTILE = "<script>alert('x')</script> & \"q\" $\\frac{1}{2}$"


def draw(file):
    with drawing():
        figure = new_figure(2, 1)
        axes = single_axes(figure)
        axes.plot([1, 2], [3, 4])
        axes.set_title("a title with $ and $")
        file.write_bytes(to_png(figure))
    return file.read_bytes()


def test_users_settings_have_no_effect_and_are_kept(tmp_path):
    usual = draw(tmp_path / "usual.png")
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "black", "savefig.dpi": 10, "lines.linewidth": 9}):
        before = dict(matplotlib.rcParams.copy())
        assert draw(tmp_path / "unusual.png") == usual
        assert dict(matplotlib.rcParams.copy()) == before


def test_nothing_is_printed_without_a_home_folder(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(NO_HOME)
    environment = {"PYTHONPATH": f"{tmp_path}:{ROOT}", "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-c", DRAW], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("89504e47", "")


def test_settings_are_restored_after_an_error():
    before = dict(matplotlib.rcParams.copy())
    with pytest.raises(ZeroDivisionError), drawing():
        raise ZeroDivisionError
    assert dict(matplotlib.rcParams.copy()) == before


def test_png_contains_neither_time_nor_version(tmp_path):
    assert draw(tmp_path / "one.png") == draw(tmp_path / "two.png")
    with Image.open(tmp_path / "one.png") as image:
        assert set(image.info) <= {"dpi", "Software"}
        assert image.info["Software"] == "Beamline"
        assert image.size == (240, 120)


def drawn(name: str = "one", description: str = "a line") -> str:
    with drawing():
        figure = new_figure(4, 3, description)
        axes = single_axes(figure)
        axes.plot([1, 2, 3], [1, 4, 9], "o-", color=BLUE, label="seen")
        axes.set(title=HOSTILE, xlabel="x")
        axes.legend()
        return to_svg(figure, name)


def test_svg_is_well_formed_and_the_same_each_time():
    text = drawn()
    assert text == drawn()
    ElementTree.fromstring(text.replace("<svg ", '<svg xmlns:xlink="http://www.w3.org/1999/xlink" ', 1))


def test_text_of_an_svg_is_escaped_text():
    assert "<script" not in drawn(description=HOSTILE)
    parsed = ElementTree.fromstring(drawn(description=HOSTILE).replace("xlink:", ""))
    assert parsed.attrib["aria-label"] == HOSTILE
    assert HOSTILE in ["".join(node.itertext()).strip() for node in parsed.iter("text")]


def test_svg_has_the_colours_of_the_page():
    text = drawn()
    assert {"currentColor", "var(--line)", "var(--blue)"} <= set(re.findall(r"(?:fill|stroke): ([^;\"]+)", text))
    assert not re.search(r"#0072b2|#010203|#040506|#ffffff|#000000", text)


def test_ids_of_two_svgs_are_different():
    ids = [set(re.findall(r' id="([^"]+)"', drawn(name))) for name in ("one", "two")]
    assert ids[0]
    assert not ids[0] & ids[1]
    for name, known in zip(("one", "two"), ids, strict=True):
        assert set(re.findall(r'(?:url\(#|href="#)([^")]+)', drawn(name))) == known
