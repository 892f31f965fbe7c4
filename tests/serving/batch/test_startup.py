"""startup: the garbage collector leaves out what was made while it was off."""

from __future__ import annotations

import gc

from serving.batch.startup import start_collecting


def test_collector_is_turned_on_without_the_objects_made_before():
    gc.collect()
    frozen = gc.get_freeze_count()
    gc.disable()
    try:
        start_collecting()
        assert gc.isenabled()
        assert gc.get_freeze_count() > frozen + 1000
    finally:
        gc.enable()
        gc.unfreeze()


def test_collector_that_is_on_stays_as_it_is():
    frozen = gc.get_freeze_count()
    start_collecting()
    assert gc.isenabled()
    assert gc.get_freeze_count() == frozen
