"""console: our lines on the screen, events for programs, the libraries' noise and the tracebacks in the log."""

from __future__ import annotations

import json
import logging
import os
import pty
import re
import subprocess
import sys

import pytest

from pipeline.closing import close
from pipeline.console import Screen, console, log_to
from pipeline.options import parse_run
from pipeline.outcome import Outcome
from pipeline.progress import begin, tell
from pipeline.report.pages import Reported
from tests.conftest import ROOT

log = logging.getLogger("beamline.test")
TRAINED = Outcome("train", "executed", 4.25, "train-a", "b", True, (), "118,282 parameters", because=("seed",))
NOTHING = Reported(card=None, pictures=None)
REFUSED = Outcome("evaluate", "executed", 1.0, "a", "b", False, ("0.9 < 0.96",), "0.9 < 0.96")


def say_all(tmp_path) -> None:
    """What a run says from its beginning to a refusal, in short."""
    begin("train")
    log.info("epoch 1/5", extra={"event": {"event": "epoch", "epoch": 1, "loss": 0.5}})
    tell(TRAINED, explain=True)
    tell(REFUSED)
    close(parse_run([]).config, "0007", {"train": TRAINED, "evaluate": REFUSED}, 5.2, tmp_path / "7.log", NOTHING)


def test_noise_goes_to_the_log_and_our_lines_to_the_screen(tmp_path, capfd):
    file = tmp_path / "logs" / "run.log"
    with console(Screen()), log_to(file, Screen()):
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


def test_verbose_shows_noise_and_tracebacks(tmp_path, capfd):
    screen = Screen(verbose=True)
    with console(screen), log_to(tmp_path / "run.log", screen):
        os.write(2, b"noise from C++\n")
        try:
            raise ValueError("deep inside")
        except ValueError:
            log.debug("a step failed", exc_info=True)
    seen = capfd.readouterr()
    assert seen.err == "noise from C++\n"
    assert 'raise ValueError("deep inside")' in seen.out


def test_standard_error_comes_back_after_an_error(tmp_path, capfd):
    with pytest.raises(KeyboardInterrupt), console(Screen()), log_to(tmp_path / "run.log", Screen()):
        raise KeyboardInterrupt
    os.write(2, b"interrupted\n")
    assert capfd.readouterr().err == "interrupted\n"


def test_lines_are_plain_where_there_is_no_terminal(tmp_path, capsys):
    with console(Screen()):
        say_all(tmp_path)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "train      …"
    assert lines[1] == "epoch 1/5"
    assert lines[2].startswith("train      executed")
    assert lines[3].strip() == "because seed"
    assert "REFUSED: 0.9 < 0.96" in lines[4]
    assert lines[6:] == [
        "refused at evaluate after 5.2 s: 0.9 < 0.96",
        "nothing was promoted; what serves is unchanged",
    ]
    assert "\x1b" not in "".join(lines)


def test_quiet_says_only_what_stops_a_run(tmp_path, capsys):
    with console(Screen(quiet=True)):
        say_all(tmp_path)
        log.info("done")
    assert capsys.readouterr().out.strip().splitlines()[0] == "refused at evaluate after 5.2 s: 0.9 < 0.96"


def test_every_line_is_an_event_where_json_is_asked_for(tmp_path, capsys):
    with console(Screen(json=True)):
        log.info("not an event of its own")
        say_all(tmp_path)
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
from pipeline.console import Screen, console
from tests.pipeline.test_console import say_all
with console(Screen()):
    say_all(Path("x"))
"""


def on_a_terminal(**environment: str) -> str:
    """What a process writes to a terminal, with its control sequences."""
    ours, theirs = pty.openpty()
    variables = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM", "COLORTERM")}
    process = subprocess.Popen(
        [sys.executable, "-c", ON_A_TERMINAL], cwd=ROOT, stdout=theirs, env=variables | environment
    )
    os.close(theirs)
    said = b""
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        while True:
            try:
                part = terminal.read(4096)
            except OSError:
                # How Linux says that nobody writes any more.
                break
            if not part:
                break
            said += part
    assert process.wait() == 0
    return said.decode()


def test_terminal_has_colours_a_moving_line_and_its_cursor_back():
    said = on_a_terminal(TERM="xterm-256color")
    assert re.search(r"\x1b\[[\d;]*32mexecuted", said)
    assert re.search(r"\x1b\[1;31mREFUSED:", said)
    assert "train …" in said
    assert said.rindex("\x1b[?25h") > said.rindex("\x1b[?25l")


def test_no_color_is_respected():
    said = on_a_terminal(TERM="xterm-256color", NO_COLOR="1")
    assert "executed" in said
    assert not re.search(r"\x1b\[[\d;]*3[0-7]m", said)


def test_dumb_terminal_gets_plain_lines():
    assert "\x1b" not in on_a_terminal(TERM="dumb")
