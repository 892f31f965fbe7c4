"""drawing_cache: content is made once for each key, and only unchanged files are returned."""

from __future__ import annotations

import pytest

from pipeline.report.drawings.drawing_cache import DrawingCache, identity


@pytest.fixture
def cache(tmp_path):
    return DrawingCache.of(tmp_path)


def test_content_is_made_once_for_each_key(cache):
    made = []

    def make():
        made.append(len(made))
        return b"content"

    assert cache.find("a") is None
    assert not cache.folder.exists()
    first = cache.get("a", make)
    assert first.read_bytes() == b"content"
    assert cache.get("a", make) == cache.find("a") == first
    assert cache.find("b") is None
    assert made == [0]
    assert list(cache.folder.iterdir()) == [first]


@pytest.mark.parametrize("damage", [b"", b"conten?"])
def test_changed_file_is_made_again(cache, damage):
    file = cache.get("a", lambda: b"content")
    file.write_bytes(damage)
    assert cache.find("a") is None
    assert cache.get("a", lambda: b"content").read_bytes() == b"content"


def test_failure_leaves_nothing(cache):
    def fail():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cache.get("a", fail)
    assert not cache.folder.exists()


def test_key_depends_on_name_module_and_inputs():
    module = "pipeline.report.figures.style"
    keys = {
        identity("name", module, {"step": "a"}),
        identity("other", module, {"step": "a"}),
        identity("name", "pipeline.report.figures.thumbnails", {"step": "a"}),
        identity("name", module, {"step": "b"}),
    }
    assert len(keys) == 4
    assert identity("name", module, {"step": "a"}) in keys
