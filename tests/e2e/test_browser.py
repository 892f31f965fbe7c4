"""Cards and the list of runs in a real browser, of runs that were promoted, refused and failed, with hostile names."""

from __future__ import annotations

import pytest

from tests.e2e.browser import faults, require_browser
from tests.own_sets import patterns, write_pictures

pytestmark = pytest.mark.exhaustive

NAMES = ("<script>alert(1)</script>", "a" * 200, "猫 und 'Maus' & \"Hund\"", "$x^2$ {{ 7 * 7 }}")


@pytest.fixture(scope="module")
def project(new_project):
    require_browser()
    made = new_project()
    folder = made.folder / "zoo <b>&"
    write_pictures(folder, *patterns(800, len(NAMES), (40, 30), 3, seed=1))
    for label, name in enumerate(NAMES):
        (folder / f"class {label:02d}").rename(folder / name.replace("/", "∕"))
    run = ("pipeline", "run", "--dataset", f"folder:{folder.name}", "--evaluate.min-accuracy", "0.8", "--model", "zoo")
    for more, code in (
        ((), 0),
        (("--train.hidden", "--train.epochs", "1", "--seed", "3"), None),
        (("--evaluate.min-accuracy", "0.9999"), 3),
        (("--train.optimizer", "sgd", "--train.learning-rate", "1e30"), 1),
    ):
        done = made.command(*run, *more)
        assert code in (None, done.returncode), done.stdout + done.stderr
    return made


def test_pages_of_all_kinds_of_runs_are_whole_and_readable(project):
    reports = project.folder / "runs" / "reports"
    pages = sorted(reports.glob("*.html"))
    assert [page.stem for page in pages] == ["0001", "0002", "0003", "0004"]
    assert faults([*pages, project.folder / "runs" / "index.html"]) == []


def test_what_is_wrong_with_a_page_is_found(project, tmp_path):
    page = (project.folder / "runs/reports/0001.html").read_text(encoding="utf-8")
    wrongs = {
        "script": ("<main>", "<main><script>1</script>"),
        "wide": ("<main>", '<main><p style="width:5000px">wide</p>'),
        "missing": ('src="data:image/png;base64,', 'src="data:image/png;base64,AAAA'),
        "pale": ("<main>", '<main><p style="color:#eee;background:#fff">pale</p>'),
        "fetched": ("<main>", '<main><img src="elsewhere.png" alt="elsewhere">'),
    }
    for name, (before, after) in wrongs.items():
        (tmp_path / f"{name}.html").write_text(page.replace(before, after, 1), encoding="utf-8")
    found = faults([tmp_path / f"{name}.html" for name in wrongs], "first")
    assert {fault.split(".html")[0] for fault in found} == wrongs.keys()
