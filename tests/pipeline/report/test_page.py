"""page: what comes from outside is text there, nothing is fetched, and figures take the page's colours."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from matplotlib.figure import Figure

from pipeline.report.page import data_uri, readable, shown, svg, themed
from pipeline.report.style import BLUE, new_figure

HOSTILE = "<script>alert('x')</script> & \"q\" $\\frac{1}{2}$"


def drawn(name: str = "one", says: str = "a line") -> str:
    with themed():
        figure: Figure = new_figure(4, 3)
        axes = figure.subplots()
        axes.plot([1, 2, 3], [1, 4, 9], "o-", color=BLUE, label="seen")
        axes.set(title=HOSTILE, xlabel="x")
        axes.legend()
        return svg(figure, name, says)


def test_a_figure_is_well_formed_and_the_same_each_time():
    text = drawn()
    assert text == drawn()
    ElementTree.fromstring(text.replace("<svg ", '<svg xmlns:xlink="http://www.w3.org/1999/xlink" ', 1))


def test_text_of_a_figure_is_text_and_harmless():
    assert "<script" not in drawn(says=HOSTILE)
    parsed = ElementTree.fromstring(drawn(says=HOSTILE).replace("xlink:", ""))
    assert parsed.attrib["aria-label"] == HOSTILE
    assert HOSTILE in ["".join(node.itertext()).strip() for node in parsed.iter("text")]


def test_colours_are_the_pages():
    text = drawn()
    assert {"currentColor", "var(--line)", "var(--blue)"} <= set(re.findall(r"(?:fill|stroke): ([^;\"]+)", text))
    assert not re.search(r"#0072b2|#010203|#040506|#ffffff|#000000", text)


def test_parts_of_two_figures_are_not_taken_for_one_another():
    ids = [set(re.findall(r' id="([^"]+)"', drawn(name))) for name in ("one", "two")]
    assert ids[0]
    assert not ids[0] & ids[1]
    for name, known in zip(("one", "two"), ids, strict=True):
        assert set(re.findall(r'(?:url\(#|href="#)([^")]+)', drawn(name))) == known


def test_bytes_of_an_image_stand_in_its_address():
    assert data_uri(b"\x89PNG") == "data:image/png;base64,iVBORw=="


def test_signs_that_nobody_sees_are_written_out_in_a_text_from_outside_and_its_lines_stay():
    # One that turns the direction of reading around, one that a terminal obeys, and ends of line.
    text = readable("gnp\u202e.exe\r\nred\x1b[31m\n")
    assert text == "gnp\\u202e.exe\nred\\x1b[31m"
    assert shown("gnp\u202e.exe\n") == "gnp\\u202e.exe\\n"
