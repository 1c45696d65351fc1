"""A proof that hangs, forks, writes, floods, wants the network or our secrets: nothing of it gets
out, and what proved nothing is unknown."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from reviewed_service import Service

from truegreen.errors import UsageError
from truegreen.incidents.actions import supervise
from truegreen.incidents.actions.checkout import Repository
from truegreen.incidents.actions.proof import Held
from truegreen.incidents.actions.run import Outcome, run_proof
from truegreen.incidents.document import Proof


def outcome(service: Service, *arguments: str, timeout: float = 20.0, **more: str) -> Outcome:
    repository = Repository.of(service.root)
    head = service.git("rev-parse", "HEAD").strip()
    proof = Proof(run=arguments, timeout=timeout, **more)  # type: ignore[arg-type]
    return run_proof(repository, proof, commit=head, trusted=head)


def python(service: Service, code: str, **more: float) -> Outcome:
    return outcome(service, "python", "-c", code, **more)  # type: ignore[arg-type]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_exit_0_holds_and_any_other_is_red(service: Service) -> None:
    assert python(service, "print('hello')").held is Held.HOLDS
    red = python(service, "import sys; print('no'); sys.exit(7)")
    assert (red.held, red.exit, red.output) == (Held.RED, 7, "no\n")


def test_one_that_hangs_is_ended_in_its_time_and_unknown(service: Service) -> None:
    began = time.monotonic()
    done = python(service, "import time; time.sleep(300)", timeout=0.5)
    assert (done.held, done.exit) == (Held.UNKNOWN, None)
    assert "did not end within 0.5 s" in done.why
    assert time.monotonic() - began < 60


def test_what_it_forks_out_of_its_session_is_ended_with_it(service: Service) -> None:
    told = python(
        service,
        "import os, sys, time\n"
        "for _ in range(3):\n"
        "    if os.fork() == 0:\n"
        "        os.setsid()\n"
        "        if os.fork() == 0:\n"
        "            print(os.getpid(), flush=True); time.sleep(300)\n"
        "        os._exit(0)\n"
        "time.sleep(0.5)\n",
    )
    pids = [int(line) for line in told.output.split()]
    assert len(pids) == 3
    assert told.left == 3
    assert not any(alive(pid) for pid in pids)


def test_what_it_writes_stays_in_its_copy_and_proves_nothing(service: Service) -> None:
    done = python(service, "open('state.txt', 'w').write('good\\n'); open('new', 'w')")
    assert done.held is Held.UNKNOWN
    assert done.wrote == ("svc/new", "svc/state.txt")
    assert (service.root / "state.txt").read_text() == "bad\n"
    assert service.git("status", "--porcelain") == ""


def test_git_in_its_copy_reaches_no_ref_of_ours(service: Service) -> None:
    before = service.git("for-each-ref") + service.git("rev-parse", "HEAD")
    code = (
        "import subprocess as s\n"
        "s.run('git checkout -qb evil && git branch -f main HEAD && git remote', shell=True)\n"
        "s.run(['git', 'push', 'origin', 'HEAD:main'])\n"
    )
    done = python(service, code)
    assert "'origin' does not appear to be a git repository" in done.output
    assert service.git("for-each-ref") + service.git("rev-parse", "HEAD") == before
    assert service.git("worktree", "list").count("\n") == 1


def test_a_copys_configuration_makes_our_git_run_nothing(service: Service, tmp_path: Path) -> None:
    trap, caught = tmp_path / "trap.sh", tmp_path / "caught"
    trap.write_text(f"#!/bin/sh\ntouch {caught}\n")
    trap.chmod(0o755)
    code = (
        "import subprocess as s\n"
        f"s.run(['git', 'config', 'core.fsmonitor', {str(trap)!r}])\n"
        f"s.run(['git', 'config', 'core.hooksPath', {str(tmp_path)!r}])\n"
    )
    assert python(service, code).held is Held.HOLDS
    assert not caught.exists()


def test_one_that_finds_the_repository_and_changes_it_proves_nothing(service: Service) -> None:
    code = (
        "import pathlib, subprocess\n"
        "told = pathlib.Path('../.git/objects/info/alternates').read_text().strip()\n"
        "subprocess.run(['git', '--git-dir', str(pathlib.Path(told).parent), 'tag', 'evil'])\n"
    )
    done = python(service, code)
    assert (done.held, done.why) == (
        Held.UNKNOWN, "the repository itself changed while it ran",
    )  # fmt: skip


def test_no_secret_of_ours_is_in_its_environment_or_home(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEROKU_API_KEY", "very-secret")
    monkeypatch.setenv("GITHUB_TOKEN", "very-secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
    code = (
        "import os, pathlib\n"
        "print(sorted(os.environ), os.environ['HOME'], list(pathlib.Path.home().iterdir()))\n"
        "print(open('/proc/self/environ').read())\n"
        "print(open(f'/proc/{os.getppid()}/environ').read())\n"
    )
    told = python(service, code).output
    assert "very-secret" not in told
    assert os.environ["HOME"] not in told.splitlines()[0]
    assert "HEROKU" not in told


def test_the_network_is_closed_but_for_loopback_or_it_is_said_that_it_is_not(
    service: Service,
) -> None:
    with socket.socket() as ours:
        ours.bind(("127.0.0.1", 0))
        ours.listen()
        port = ours.getsockname()[1]
        own = (
            "import socket\n"
            "s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen()\n"
            "socket.create_connection(s.getsockname()); print('own loopback works')\n"
            f"socket.create_connection(('127.0.0.1', {port}), 2)\n"
        )
        done = python(service, own)
    assert "own loopback works" in done.output
    if done.network != "closed":  # a machine that lets nobody do it: then it says so, and why
        assert done.network.startswith("open: [Errno")
        return
    assert "refused" in done.output  # our loopback is not its loopback
    out = python(service, "import socket; socket.create_connection(('192.0.2.1', 80), 3)")
    assert (out.held, out.why) == (
        Held.UNKNOWN, "it needs the network, which is closed to a candidate's proof",
    )  # fmt: skip


def test_a_network_that_cannot_be_closed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        def unshare(self, _flags: int) -> int:
            supervise.ctypes.set_errno(1)
            return -1

    monkeypatch.setattr(supervise.ctypes, "CDLL", lambda *_, **__: Refusing())
    assert supervise.close_network() == "open: [Errno 1] Operation not permitted"


def test_a_flood_of_output_keeps_its_end_and_the_digest_of_all(service: Service) -> None:
    done = python(
        service, "import os\nfor _ in range(400): os.write(1, b'x' * 65536)\nprint('END')"
    )
    assert done.held is Held.HOLDS
    assert len(done.output) < 40_000
    assert done.output.endswith("END\n")


def test_what_is_not_there_or_dies_of_a_signal_is_unknown(service: Service) -> None:
    assert "No such file" in outcome(service, "no-such-program").why
    assert "signal 9" in python(service, "import os; os.kill(os.getpid(), 9)").why
    (service.root / "tests").mkdir()
    service.commit("an empty test file", tests__test_x="")
    for test, why in (("tests/test_x", "was called wrongly"), ("tests/none.py", "is there")):
        with pytest.raises(UsageError, match="did not match") if "none" in test else NOTHING:
            head = service.git("rev-parse", "HEAD").strip()
            done = run_proof(
                Repository.of(service.root), Proof(test=test, timeout=60), commit=head, trusted=head
            )
            assert (done.held, why in done.why) == (Held.UNKNOWN, True), done


class _Nothing:
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


NOTHING = _Nothing()


def test_a_killed_truegreen_takes_its_proof_with_it(service: Service, tmp_path: Path) -> None:
    """kill -9 in the middle: the supervisor is told by the kernel, and ends everything."""
    pid_file = tmp_path / "pid"
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from pathlib import Path\n"
        "from reviewed_service import Service\n"
        "from test_run import python\n"
        f"s = Service(Path({str(service.top)!r}), '')\n"
        f"python(s, \"import os, time; open({str(pid_file)!r}, 'w').write(str(os.getpid())); "
        'time.sleep(300)")\n'
    )
    # What is killed cannot clear up after itself.
    scratch = {**os.environ, "TMPDIR": str(tmp_path)}
    process = subprocess.Popen([sys.executable, "-c", code], env=scratch)
    try:
        until = time.monotonic() + 60
        while not (pid_file.exists() and pid_file.read_text()) and time.monotonic() < until:
            time.sleep(0.02)
        pid = int(pid_file.read_text())
        assert alive(pid)
    finally:
        process.kill()
        process.wait()
    until = time.monotonic() + 30
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.02)
    assert not alive(pid)


def test_a_live_proof_has_the_network_and_is_told_where_the_app_is(service: Service) -> None:
    with socket.socket() as app:
        app.bind(("127.0.0.1", 0))
        app.listen()
        url = f"http://127.0.0.1:{app.getsockname()[1]}"
        code = (
            "import os, socket, urllib.parse as p\n"
            "u = p.urlsplit(os.environ['TRUEGREEN_APP_URL'])\n"
            "socket.create_connection((u.hostname, u.port), 5)\n"
        )
        head = service.git("rev-parse", "HEAD").strip()
        done = run_proof(
            Repository.of(service.root),
            Proof(run=("python", "-c", code), timeout=20, when="live"),
            commit=head,
            trusted=head,
            extra={"TRUEGREEN_APP_URL": url},
        )
    assert (done.held, done.network) == (Held.HOLDS, "open")
