"""Several commands at once over one store and one registry."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from serving.registry.registry import Registry
from tests.e2e.conftest import tiny_run
from tests.serving.tiny_bundle import loaded

pytestmark = pytest.mark.exhaustive


def test_four_runs_that_start_at_once_all_succeed(new_project, data_dir):
    project = new_project()
    with ThreadPoolExecutor(4) as threads:
        ended = list(threads.map(lambda _: project.command(*tiny_run(data_dir)), range(4)))
    assert [done.returncode for done in ended] == [0] * 4, [done.stdout + done.stderr for done in ended]
    assert sorted(file.name for file in (project.folder / "runs/history").glob("*.json")) == [
        f"{number:04d}.json" for number in range(1, 5)
    ]
    promoted = Registry(project.folder / "models").promoted("tiny")
    assert promoted.version == 1
    assert loaded(promoted).sha256 == promoted.sha256
    assert list((project.folder / "runs/.staging").iterdir()) == []


def test_clean_during_runs_deletes_nothing_that_they_need(promoted_tiny, data_dir, tmp_path):
    project = promoted_tiny[0].copied(tmp_path / "beamline")

    def run(_):
        return [project.command(*tiny_run(data_dir)) for _ in range(4)]

    def clean(_):
        return [project.command("pipeline", "clean", "--keep", "1") for _ in range(8)]

    with ThreadPoolExecutor(3) as threads:
        runs = [threads.submit(run, None), threads.submit(run, None)]
        cleans = threads.submit(clean, None).result()
        ended = [done for submitted in runs for done in submitted.result()]
    assert [done.returncode for done in ended] == [0] * 8, [done.stdout + done.stderr for done in ended]
    for done in cleans:
        busy = done.returncode == 1 and "another command is using" in done.stderr
        assert done.returncode == 0 or busy, done.stdout + done.stderr
    assert project.executed() == []
