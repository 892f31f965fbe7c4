"""console: our lines on the screen, the libraries' noise and the tracebacks in the log."""

from __future__ import annotations

import logging
import os

from pipeline.console import console

log = logging.getLogger("beamline.test")


def test_noise_goes_to_the_log_and_our_lines_to_the_screen(tmp_path, capfd):
    file = tmp_path / "logs" / "run.log"
    with console(file, verbose=False):
        os.write(2, b"noise from C++\n")
        log.info("our line")
        try:
            raise ValueError("deep inside")
        except ValueError:
            log.debug("a step failed", exc_info=True)
    os.write(2, b"after\n")
    seen = capfd.readouterr()
    assert seen.out == "our line\n"
    assert seen.err == "after\n"
    kept = file.read_text()
    assert "noise from C++" in kept
    assert "our line" in kept
    assert 'raise ValueError("deep inside")' in kept


def test_verbose_shows_the_noise(tmp_path, capfd):
    with console(tmp_path / "run.log", verbose=True):
        os.write(2, b"noise from C++\n")
    assert capfd.readouterr().err == "noise from C++\n"


def test_standard_error_comes_back_after_an_error(tmp_path, capfd):
    try:
        with console(tmp_path / "run.log", verbose=False):
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        os.write(2, b"interrupted\n")
    assert capfd.readouterr().err == "interrupted\n"
