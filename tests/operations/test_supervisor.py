"""The supervisor with real processes: restarts, back-off, order of stopping, no survivors."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from bayerboard.operations import supervisor as module
from bayerboard.operations.supervisor import Backoff, Program, Supervisor, describe_status
from tests.operations.processes import is_running, program, recorded
from tests.patience import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.processes

QUICK = Backoff(first_s=0.01, longest_s=0.05, stable_s=1000)

# A parent that starts a child in its own group, records both, and waits.
WITH_CHILD = """
import os, pathlib, signal, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
with pathlib.Path(sys.argv[1]).open("a") as file:
    file.write(f"{os.getpid()}\\n{child.pid}\\n")
signal.pause()
"""

# The same, noting first which processes of its predecessor still run.
SEES_OLD_ONES = (
    """
import pathlib, sys
from tests.operations.processes import is_running
record = pathlib.Path(sys.argv[1])
old = record.read_text().split() if record.exists() else []
pathlib.Path(f"{record}.seen").write_text(str([pid for pid in old if is_running(int(pid))]))
"""
    + WITH_CHILD
)

# Says that it is ready only once it ignores SIGTERM.
STUBBORN = """
import os, pathlib, signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
with pathlib.Path(sys.argv[1]).open("a") as file:
    file.write(f"{os.getpid()}\\n")
while True:
    signal.pause()
"""


@contextmanager
def running(*programs: Program, backoff: Backoff = QUICK) -> Iterator[tuple[Supervisor, list[str]]]:
    """Run programs under a supervisor for the length of a block; also give the lines it reports."""
    lines: list[str] = []
    supervisor = Supervisor(programs, lines.append, backoff)
    supervisor.start()
    try:
        yield supervisor, lines
    finally:
        supervisor.hurry()
        supervisor.stop()


def test_a_killed_program_is_started_again(tmp_path: Path) -> None:
    with running(program("one", tmp_path)) as (_, lines):
        first = wait_for(lambda: recorded("one", tmp_path))[0]
        os.kill(first, signal.SIGKILL)
        second = wait_for(lambda: recorded("one", tmp_path)[1:])[0]

        assert is_running(second)
        assert not is_running(first)
    assert lines[0].startswith("one stopped (SIGKILL); next start in 0.01 s.")


def test_the_rest_of_a_dead_programs_group_is_gone_before_its_successor_starts(tmp_path: Path) -> None:
    with running(program("one", tmp_path, SEES_OLD_ONES), backoff=Backoff(first_s=0.2)):
        parent, child = wait_for(lambda: recorded("one", tmp_path)[:2])
        os.kill(parent, signal.SIGKILL)
        wait_for(lambda: len(recorded("one", tmp_path)) == 4)

        assert not is_running(child)
        assert (tmp_path / "one.record.seen").read_text() == "[]"


def test_a_program_that_keeps_dying_is_started_ever_more_slowly(tmp_path: Path) -> None:
    with running(program("bad", tmp_path, "raise SystemExit(3)")) as (supervisor, lines):
        wait_for(lambda: len(lines) >= 5)

        assert supervisor.most_troubled().deaths >= 5
    delays = [line.split("next start in ")[1].split(" s")[0] for line in lines[:5]]
    assert delays == ["0.01", "0.02", "0.04", "0.05", "0.05"]
    assert lines[0].startswith("bad stopped (exit status 3)")


def test_a_listener_that_is_gone_does_not_end_the_supervision(tmp_path: Path) -> None:
    def report(line: str) -> None:
        raise OSError(5, "Input/output error")

    supervisor = Supervisor([program("one", tmp_path)], report, QUICK)
    supervisor.start()
    os.kill(wait_for(lambda: recorded("one", tmp_path))[0], signal.SIGKILL)
    assert wait_for(lambda: recorded("one", tmp_path)[1:])
    supervisor.stop()


def test_a_stable_run_resets_the_delay(tmp_path: Path) -> None:
    always_stable = Backoff(first_s=0.01, longest_s=1, stable_s=0)
    with running(program("bad", tmp_path, "pass"), backoff=always_stable) as (_, lines):
        wait_for(lambda: len(lines) >= 3)
    assert all("next start in 0.01 s" in line for line in lines[:3])


def test_a_command_that_does_not_exist_is_a_death_like_any_other(tmp_path: Path) -> None:
    missing = Program("missing", ["/nonexistent/program"], tmp_path / "missing.log")
    with running(missing) as (_, lines):
        wait_for(lambda: len(lines) >= 2)
    assert "FileNotFoundError" in (tmp_path / "missing.log").read_text()


def test_the_next_program_waits_until_the_one_before_is_ready(tmp_path: Path) -> None:
    gate = threading.Event()
    with running(program("one", tmp_path, is_ready=gate.is_set), program("two", tmp_path)) as (supervisor, _):
        wait_for(lambda: recorded("one", tmp_path))
        assert supervisor.children[1].process is None
        gate.set()
        assert wait_for(lambda: recorded("two", tmp_path))


def test_a_program_that_dies_before_it_is_ready_is_started_again(tmp_path: Path) -> None:
    with running(program("one", tmp_path, is_ready=lambda: len(recorded("one", tmp_path)) > 1)) as _:
        os.kill(wait_for(lambda: recorded("one", tmp_path))[0], signal.SIGKILL)
        assert wait_for(lambda: recorded("one", tmp_path)[1:])


def staged(name: str, stage: int, folder: Path, leave: str) -> Program:
    """Return a program that on SIGTERM runs `leave`, with `folder` at hand, and then ends."""
    code = (
        "import pathlib, signal, sys, time\n"
        "folder = pathlib.Path(sys.argv[1]).parent\n"
        # Waited for, not handled: a handler would not run for a signal that comes just before `signal.pause`.
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})\n"
        "pathlib.Path(sys.argv[1]).write_text('1\\n')\n"
        "signal.sigwait({signal.SIGTERM})\n"
        f"{leave}\n"
    )
    return program(name, folder, code, stage=stage, grace_s=1000)


def test_programs_of_a_higher_stage_stop_first(tmp_path: Path) -> None:
    programs = [
        staged(name, stage, tmp_path, f"(folder / 'order').open('a').write('{name}')")
        for stage, name in enumerate("abc")
    ]
    with running(*programs) as (supervisor, _):
        wait_for(lambda: all(recorded(name, tmp_path) for name in "abc"))
        supervisor.stop()
    assert (tmp_path / "order").read_text() == "cba"


def test_programs_of_one_stage_stop_together(tmp_path: Path) -> None:
    # Each ends only once the other has been asked too.
    wait = "(folder / 'asked-{}').touch()\nwhile not (folder / 'asked-{}').exists(): time.sleep(0.01)"
    programs = [
        staged("a", 1, tmp_path, wait.format("a", "b")),
        staged("b", 1, tmp_path, wait.format("b", "a")),
    ]
    with running(*programs) as (supervisor, _):
        wait_for(lambda: recorded("a", tmp_path) and recorded("b", tmp_path))
        supervisor.stop()
    assert supervisor.most_troubled().deaths == 0


def test_stopping_leaves_nothing_of_a_group(tmp_path: Path) -> None:
    with running(program("one", tmp_path, WITH_CHILD)) as (supervisor, _):
        pids = wait_for(lambda: recorded("one", tmp_path)[:2])
        supervisor.stop()
        assert len(pids) == 2
        assert wait_for(lambda: not any(is_running(pid) for pid in pids))


def test_a_program_that_ignores_sigterm_is_killed_after_its_grace(tmp_path: Path) -> None:
    with running(program("deaf", tmp_path, STUBBORN, grace_s=0.1)) as (supervisor, _):
        pid = wait_for(lambda: recorded("deaf", tmp_path))[0]
        supervisor.stop()
        assert not is_running(pid)


def test_hurry_ends_the_grace(tmp_path: Path) -> None:
    with running(program("deaf", tmp_path, STUBBORN, grace_s=1000)) as (supervisor, _):
        pid = wait_for(lambda: recorded("deaf", tmp_path))[0]
        supervisor.hurry()
        supervisor.stop()
        assert not is_running(pid)


def test_stop_before_start_does_nothing() -> None:
    said: list[str] = []
    supervisor = Supervisor([], said.append)
    supervisor.stop()
    assert not supervisor.is_alive
    assert said == []


def test_no_child_survives_a_killed_supervisor(tmp_path: Path) -> None:
    code = (
        "import pathlib, signal, sys, threading\n"
        "from bayerboard.operations.supervisor import Supervisor\n"
        "from tests.operations.processes import program\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "Supervisor([program('a', folder), program('b', folder)], lambda _: None).start()\n"
        "threading.Event().wait()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    try:
        pids = [wait_for(lambda name=name: recorded(name, tmp_path))[0] for name in "ab"]  # type: ignore[misc]
    finally:
        process.kill()
        process.wait()
    assert wait_for(lambda: not any(is_running(pid) for pid in pids))


def test_a_child_whose_parent_is_gone_already_does_not_start(tmp_path: Path) -> None:
    not_the_parent = str(os.getpid() + 1)
    command = [sys.executable, str(module.TETHER), not_the_parent, "touch", str(tmp_path / "started")]
    assert subprocess.run(command, check=False).returncode == 1
    assert not (tmp_path / "started").exists()


def test_a_large_log_is_moved_aside_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOG_LIMIT_BYTES", 100)
    talkative = (
        "import signal\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})\n"
        "print('x' * 200, flush=True)\n"
        "while signal.sigwait({signal.SIGUSR1}): print('after', flush=True)\n"
    )
    with running(program("one", tmp_path, talkative)) as (supervisor, _):
        log = tmp_path / "log" / "one.log"
        moved = wait_for(lambda: (old := tmp_path / "log" / "one.old.log").exists() and old.read_text())
        wait_for(lambda: log.stat().st_size == 0)
        process = supervisor.children[0].process
        assert process is not None
        process.send_signal(signal.SIGUSR1)
        wait_for(lambda: log.read_text() == "after\n")
    assert moved == "x" * 200 + "\n"


@pytest.mark.parametrize(("status", "words"), [(0, "exit status 0"), (-9, "SIGKILL"), (-63, "signal 63")])
def test_how_a_process_ended_in_words(status: int, words: str) -> None:
    assert describe_status(status) == words
