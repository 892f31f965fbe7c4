"""console: lines or events on the screen; tracebacks and the output of libraries in the log file."""

from __future__ import annotations

import json
import logging
import os
import pty
import re
import subprocess
import sys

import pytest

from pipeline.engine.outcome import Outcome, log_begin, log_outcome
from pipeline.screen.console import console, log_to
from pipeline.screen.summary import print_summary
from pipeline.settings.options import Verbosity, parse_run
from tests.conftest import ROOT

log = logging.getLogger("beamline.test")
TRAINED = Outcome("train", "executed", 4.25, "train-a", "b", True, (), "118,282 parameters", because=("seed",))
REFUSED = Outcome("evaluate", "executed", 1.0, "a", "b", False, ("0.9 < 0.96",), "0.9 < 0.96")


def log_run(tmp_path) -> None:
    """Logs a short run that ends with a refusal."""
    log_begin("train")
    log.info("epoch 1/5", extra={"event": {"event": "epoch", "epoch": 1, "loss": 0.5}})
    log_outcome(TRAINED, explain=True)
    log_outcome(REFUSED)
    print_summary(
        parse_run([]).config, "0007", {"train": TRAINED, "evaluate": REFUSED}, 5.2, tmp_path / "7.log", None, None
    )


def test_output_of_libraries_goes_to_the_log_and_our_lines_to_the_screen(tmp_path, capfd):
    file = tmp_path / "logs" / "run.log"
    with console(Verbosity()), log_to(file, Verbosity()):
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
    content = file.read_text()
    assert "noise from C++" in content
    assert "our line" in content
    assert 'raise ValueError("deep inside")' in content


def test_verbose_shows_output_of_libraries_and_tracebacks(tmp_path, capfd):
    screen = Verbosity(verbose=True)
    with console(screen), log_to(tmp_path / "run.log", screen):
        os.write(2, b"noise from C++\n")
        try:
            raise ValueError("deep inside")
        except ValueError:
            log.debug("a step failed", exc_info=True)
    seen = capfd.readouterr()
    assert seen.err == "noise from C++\n"
    assert 'raise ValueError("deep inside")' in seen.out


def test_standard_error_is_restored_after_an_error(tmp_path, capfd):
    with pytest.raises(KeyboardInterrupt), console(Verbosity()), log_to(tmp_path / "run.log", Verbosity()):
        raise KeyboardInterrupt
    os.write(2, b"interrupted\n")
    assert capfd.readouterr().err == "interrupted\n"


def test_lines_are_plain_without_a_terminal(tmp_path, capsys):
    with console(Verbosity()):
        log_run(tmp_path)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "train      …"
    assert lines[1] == "epoch 1/5"
    assert lines[2].startswith("train      executed")
    assert lines[3].strip() == "because seed"
    assert "REFUSED: 0.9 < 0.96" in lines[4]
    assert lines[6:] == [
        "refused at evaluate after 5.2 s: 0.9 < 0.96",
        "nothing was promoted; the version that serves is unchanged",
    ]
    assert "\x1b" not in "".join(lines)


def test_quiet_shows_only_what_stops_a_run(tmp_path, capsys):
    with console(Verbosity(quiet=True)):
        log_run(tmp_path)
        log.info("done")
    assert capsys.readouterr().out.strip().splitlines()[0] == "refused at evaluate after 5.2 s: 0.9 < 0.96"


def test_every_line_is_an_event_with_json(tmp_path, capsys):
    with console(Verbosity(json=True)):
        log.info("a line without an event")
        log_run(tmp_path)
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    kinds = ["message", "begin", "epoch", "step", "because", "step", "end"]
    assert [event["event"] for event in events] == kinds
    assert (events[2]["epoch"], events[2]["loss"]) == (1, 0.5)
    assert (events[3]["step"], events[3]["outcome"], events[3]["seconds"]) == ("train", "executed", 4.25)
    assert events[5]["passed"] is False
    end = events[-1]
    assert (end["run"], end["verdict"], end["exit_code"], end["step"]) == ("0007", "refused", 3, "evaluate")
    assert end["reasons"] == ["0.9 < 0.96"]


ON_A_TERMINAL = """
import sys
from pathlib import Path
from pipeline.settings.options import Verbosity
from pipeline.screen.console import console
from tests.pipeline.screen.test_console import log_run
with console(Verbosity()):
    log_run(Path("x"))
"""


def output_on_a_terminal(**environment: str) -> str:
    """What a process writes to a terminal, with its control sequences."""
    ours, theirs = pty.openpty()
    variables = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM", "COLORTERM")}
    process = subprocess.Popen(
        [sys.executable, "-c", ON_A_TERMINAL], cwd=ROOT, stdout=theirs, env=variables | environment
    )
    os.close(theirs)
    output = b""
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        while True:
            try:
                part = terminal.read(4096)
            except OSError:
                # Linux reports so that the other end is closed.
                break
            if not part:
                break
            output += part
    assert process.wait() == 0
    return output.decode()


def test_terminal_has_colours_a_spinner_and_a_visible_cursor_at_the_end():
    output = output_on_a_terminal(TERM="xterm-256color")
    assert re.search(r"\x1b\[[\d;]*32mexecuted", output)
    assert re.search(r"\x1b\[1;31mREFUSED:", output)
    assert "train …" in output
    assert output.rindex("\x1b[?25h") > output.rindex("\x1b[?25l")


def test_no_color_is_respected():
    output = output_on_a_terminal(TERM="xterm-256color", NO_COLOR="1")
    assert "executed" in output
    assert not re.search(r"\x1b\[[\d;]*3[0-7]m", output)


def test_dumb_terminal_gets_plain_lines():
    assert "\x1b" not in output_on_a_terminal(TERM="dumb")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no device that is full")
@pytest.mark.parametrize("verbosity", [Verbosity(), Verbosity(verbose=True)])
def test_log_on_a_full_disk_stays_incomplete_and_nothing_else_happens(tmp_path, capfd, verbosity):
    file = tmp_path / "run.log"
    file.symlink_to("/dev/full")
    with console(verbosity), log_to(file, verbosity):
        log.info("the screen has this line")
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("the screen has this line\n", "")
