"""Nightly runs with nothing to do, and clean between them: the folder of runs stops growing, and loses nothing."""

from __future__ import annotations

import json

import pytest

from pipeline.__main__ import main
from tests.e2e.conftest import tiny_run


def files_of(project) -> dict[str, int]:
    runs = project.folder / "runs"
    return {f.relative_to(runs).as_posix(): f.stat().st_size for f in runs.rglob("*") if f.is_file()}


@pytest.mark.parametrize(
    ("nights", "keep", "every"), [(12, 3, 1), pytest.param(300, 20, 20, marks=pytest.mark.exhaustive)]
)
def test_runs_with_nothing_to_do_stop_growing(
    promoted_tiny, data_dir, tmp_path, monkeypatch, capsys, nights, keep, every
):
    project = promoted_tiny[0].copied(tmp_path / "project")
    monkeypatch.chdir(project.folder)
    command = tiny_run(data_dir)[1:]
    after_clean = []
    for night in range(1, nights + 1):
        assert main([*command, "--quiet"]) == 0
        if night % every == 0:
            assert main(["clean", "--keep", str(keep)]) == 0
            after_clean.append(files_of(project))
    assert set(project.outcomes().values()) == {"cached"}
    assert project.last_run()["run"] == f"{nights + 1:04d}"
    # From the first clean with more runs than it keeps, the same files are there, of other runs.
    bounded = after_clean[-(-(keep + 1) // every) :]
    assert len(bounded) > 5
    assert len({len(files) for files in bounded}) == 1
    sizes = [sum(files.values()) for files in bounded]
    # Durations have more or fewer digits.
    assert max(sizes) - min(sizes) < 0.01 * min(sizes)
    last = [f"{run:04d}" for run in range(nights + 2 - keep, nights + 2)]
    kept = ["0001", *last]
    assert sorted(path.name for path in (project.folder / "runs" / "history").iterdir()) == [f"{r}.json" for r in kept]
    assert {path.stem for path in (project.folder / "runs" / "logs").iterdir()} == set(kept)
    everything_about_the_promoted_run_works(capsys, last[-1])
    (event,) = (project.folder / "models" / "tiny" / "history.jsonl").read_text().splitlines()
    assert json.loads(event)["run"] == "0001"


def everything_about_the_promoted_run_works(capsys, last: str) -> None:
    capsys.readouterr()
    for command in (["show", "1"], ["diff", "1", last], ["history", "tiny"]):
        assert main(command) == 0
    assert main(["promote", "1", "--reason", "again"]) == 0
    assert "serves already" in capsys.readouterr().out
    assert main(["show", "2"]) == 2
