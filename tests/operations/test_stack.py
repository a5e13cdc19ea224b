"""The stack's own part, with small programs in place of Bayerboard's: what stands in the way of a start."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING

import pytest

from bayerboard.operations import stack as module
from bayerboard.operations.errors import CannotStart
from bayerboard.operations.stack import Stack, broker_programs, end_of, handling_signals, interrupt
from bayerboard.operations.supervisor import Program
from tests.operations.processes import is_running, program, recorded
from tests.patience import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings


SERVE = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health/" else 404)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
"""


@pytest.fixture(autouse=True)
def _small(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(module, "prepare", lambda: None)


def stack_of(monkeypatch: pytest.MonkeyPatch, *programs: Program) -> Stack:
    """Return a stack that runs the given programs, on a free port."""
    monkeypatch.setattr(Stack, "programs", lambda self: list(programs))
    return Stack(bind="127.0.0.1:0", quiet=True)


def test_a_stack_is_ready_when_its_site_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def programs(self: Stack) -> list[Program]:
        web = program("web", tmp_path, SERVE)
        return [Program("web", [*web.command, str(self.address.port)], web.log)]

    lines: list[str] = []
    monkeypatch.setattr(Stack, "programs", programs)
    with Stack(bind="127.0.0.1:0", report=lines.append) as stack:
        stack.wait_until_ready()
        assert stack.address.is_healthy()
        assert stack.url == f"http://127.0.0.1:{stack.address.port}/"
    assert not stack.address.is_healthy()
    assert [line.split()[0] for line in lines] == ["Preparing", "Starting", "Stopping"]


def test_a_quiet_stack_speaks_only_of_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    monkeypatch.setattr(Stack, "programs", lambda self: [program("bad", tmp_path, "raise SystemExit(3)")])
    with Stack(bind="127.0.0.1:0", report=lines.append, quiet=True):
        wait_for(lambda: lines)
    assert all(line.startswith("bad stopped") for line in lines)


def test_a_program_that_cannot_start_ends_the_waiting_with_the_end_of_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = program("web", tmp_path, "print('no such module'); raise SystemExit(3)")
    with stack_of(monkeypatch, bad) as stack, pytest.raises(CannotStart) as caught:
        stack.wait_until_ready()
    assert str(caught.value).startswith("web does not start. The end of its log, ")
    assert "  no such module" in str(caught.value)


def test_a_site_that_never_answers_ends_the_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    message = r"did not answer within 0.1 s(.|\n)*\(nothing\)"
    with (
        stack_of(monkeypatch, program("web", tmp_path)) as stack,
        pytest.raises(CannotStart, match=message),
    ):
        stack.wait_until_ready(timeout_s=0.1)


def test_the_end_of_supervision_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with stack_of(monkeypatch, program("web", tmp_path)) as stack:
        stack.supervisor.stop()
        with pytest.raises(CannotStart, match="supervision ended"):
            stack.wait_for_interrupt()


def test_a_second_stack_on_the_same_data_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with stack_of(monkeypatch) as first:
        second = Stack(bind="127.0.0.1:0")
        with pytest.raises(CannotStart, match=rf"already running.*process {os.getpid()}, {first.url}"):
            second.__enter__()


def test_a_lock_that_a_killed_stack_left_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "up.lock").write_text("process 1, http://127.0.0.1:8000/, and more than is written now")
    with stack_of(monkeypatch) as stack:
        assert (tmp_path / "up.lock").read_text() == f"process {os.getpid()}, {stack.url}"


def test_a_port_in_use_stops_the_start_and_frees_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with stack_of(monkeypatch) as stack:
        pass
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=f"cannot listen on 127.0.0.1:{port}"):
            Stack(bind=f"127.0.0.1:{port}").__enter__()
    with (tmp_path / "up.lock").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert not stack.supervisor.is_alive


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_signal_that_means_stop_interrupts(number: signal.Signals) -> None:
    # Below nohup these tests would otherwise begin with SIGHUP ignored.
    before = signal.signal(number, signal.SIG_DFL)
    try:
        with pytest.raises(KeyboardInterrupt), handling_signals(interrupt):
            signal.raise_signal(number)
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, before)


def test_what_nohup_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with handling_signals(interrupt):
            signal.raise_signal(signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_signal_during_the_stop_kills_what_lingers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # On SIGTERM the program sends its supervisor a SIGTERM in turn, and stays.
    code = (
        "import os, pathlib, signal, sys\n"
        "parent = os.getppid()\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})\n"
        "pathlib.Path(sys.argv[1]).write_text(f'{os.getpid()}\\n')\n"
        "while True: os.kill(parent, signal.sigwait({signal.SIGTERM}))\n"
    )
    with stack_of(monkeypatch, program("web", tmp_path, code, grace_s=1000)):
        pid = wait_for(lambda: recorded("web", tmp_path))[0]
    assert not is_running(pid)


def test_with_a_redis_of_ones_own_no_broker_is_started(settings: Settings, tmp_path: Path) -> None:
    settings.EMBEDDED_BROKER = False
    assert broker_programs(tmp_path) == []


def test_the_programs_are_started_with_this_interpreter_on_this_data(settings: Settings, tmp_path: Path) -> None:
    settings.EMBEDDED_BROKER = True
    programs = Stack(bind="127.0.0.1:8000", web_workers=3, web_threads=5, score_workers=7).programs()
    assert [one.name for one in programs] == ["broker", "web", "score", "baseline", "beat"]
    web, score = list(programs[1].command), list(programs[2].command)
    assert web[:2] == [sys.executable, "-m"]
    assert web[web.index("--workers") + 1] == "3"
    assert web[web.index("--threads") + 1] == "5"
    assert score[score.index("--concurrency") + 1] == "7"
    assert {one.env["BAYERBOARD_DATA"] for one in programs[1:]} == {str(tmp_path)}


def test_without_a_number_one_scoring_process_per_core() -> None:
    assert Stack().score_workers == len(os.sched_getaffinity(0))


def test_the_end_of_a_long_log_is_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    log.write_text("".join(f"line {number}\n" for number in range(100)))
    lines = end_of(log).splitlines()
    assert (len(lines), lines[1], lines[-1]) == (module.LOG_TAIL_LINES + 1, "  line 85", "  line 99")


def test_reporting_to_a_terminal_that_is_gone_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    class Gone:
        def write(self, text: str) -> None:
            tried.append(text)
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(sys, "stdout", Gone())
    module.report_on_stdout("hello")
    assert tried == ["hello\n"]


def test_a_line_is_reported_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    module.report_on_stdout("hello")
    assert capsys.readouterr().out == "hello\n"
