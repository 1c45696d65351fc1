"""The release command as a dyno runs it: phases in order, exit codes, the trailer."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from truegreen.release.trailer import LIMIT, PREFIX, parse_trailer

from .conftest import COMMAND, Ran, Service


def names(ran: Ran) -> list[str]:
    return [phase.name for phase in ran.report.phases]


def test_a_good_release_migrates_smokes_and_reports_after_each_phase(service: Service) -> None:
    commit = "f" * 40
    ran = service.release(HEROKU_SLUG_COMMIT=commit, HEROKU_RELEASE_VERSION="v4", FLAG_A="1")
    assert ran.code == 0, ran.output
    report = ran.report
    assert (report.complete, report.exit, report.commit, report.release) == (True, 0, commit, "v4")
    assert names(ran) == ["preflight", "migrate", "smoke"]
    migrate, smoke = report.phases[1:]
    assert (migrate.from_revision, migrate.to_revision, migrate.heads) == (None, "0045", ("0045",))
    assert (smoke.total, smoke.passed, smoke.sealed) == (1, 1, True)
    assert [line.startswith(PREFIX) for line in ran.output.splitlines()].count(True) == 4
    assert ran.output.splitlines()[-1].startswith(PREFIX)
    assert service.leftovers() == []

    again = service.release()
    assert again.code == 0
    migrate = again.report.phases[1]
    assert (migrate.from_revision, migrate.to_revision) == ("0045", "0045")


def test_preflight_names_everything_and_nothing_after_it_runs(service: Service) -> None:
    ran = service.release(FLAG_A="maybe", FLAG_B="1", DATABASE_URL="")
    assert (ran.code, ran.report.exit, names(ran)) == (11, 11, ["preflight"])
    problems = " | ".join(ran.report.phases[0].problems)
    assert ran.report.complete
    for named in ("FLAG_A: 'maybe' is not a boolean", "FLAG_B", "DATABASE_URL: is empty"):
        assert named in problems
    assert not service.database.exists()


@pytest.mark.parametrize("text", ["", "[smok]\n", "nonsense", None])
def test_a_bad_configuration_is_2_and_reported(service: Service, text: str | None) -> None:
    if text is None:
        (service.root / "truegreen.toml").unlink()
    else:
        service.write("truegreen.toml", text)
    ran = service.release()
    assert (ran.code, ran.report.exit, names(ran)) == (2, 2, ["preflight"])
    assert "truegreen.toml" in ran.report.phases[0].problems[0]
    assert "Traceback" not in ran.output


def test_a_failed_migration_is_12_says_where_the_schema_is_and_stops(service: Service) -> None:
    service.write(
        "migrations/versions/r0046.py",
        "revision = '0046'\ndown_revision = '0045'\ndef upgrade():\n    raise RuntimeError('no')\n",
    )
    ran = service.release()
    assert (ran.code, names(ran)) == (12, ["preflight", "migrate"])
    migrate = ran.report.phases[1]
    assert migrate.status == "fail"
    # SQLite commits its DDL as it goes: what the report says is read back, not assumed.
    assert migrate.from_revision is None
    assert migrate.heads == ("0046",)
    assert "RuntimeError: no" in ran.output


def test_a_schema_ahead_of_the_code_passes_untouched_and_is_named(service: Service) -> None:
    service.revision("0046", "0045")
    assert service.release("--only", "migrate").code == 0
    (service.root / "migrations/versions/r0046.py").unlink()
    ran = service.release()
    assert ran.code == 0, ran.output
    migrate = ran.report.phases[1]
    assert (migrate.status, migrate.ahead, migrate.to_revision) == ("pass", True, "0046")
    assert migrate.heads == ("0045",)
    assert "it is ahead, and is left as it is" in ran.output


def test_two_heads_are_refused_before_anything_is_migrated(service: Service) -> None:
    service.revision("0045b", "0044")
    ran = service.release("--only", "migrate")
    assert ran.code == 12
    assert "2 heads, 0045, 0045b" in ran.report.phases[0].problems[0]
    assert ran.report.phases[0].to_revision is None


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("r0046", "revision = '0046'\ndown_revision = 'gone'", "down_revision: gone is in no file"),
        ("r0046", "revision = '0045'\ndown_revision = '0044'", "revision: revision 0045 is also"),
        ("r0044", "revision = '0044'\ndown_revision = '0045'", "down_revision: revisions 0044, "),
        ("r0046", "revision = (", "was never closed"),
    ],
    ids=["missing parent", "twice", "cycle", "syntax"],
)
def test_a_broken_revision_graph_is_one_sentence_with_file_and_key(
    service: Service, name: str, text: str, said: str
) -> None:
    service.write(f"migrations/versions/{name}.py", text + "\n")
    ran = service.release("--only", "migrate")
    (problem,) = ran.report.phases[0].problems
    assert ran.code == 12
    assert f"migrations/versions/{name}.py" in problem
    assert said in problem


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("alembic_ini", "other.ini is not there"),
        ("database", "the database's revision could not be read"),
    ],
)
def test_a_migration_that_could_not_be_made_is_a_failed_one(
    service: Service, change: str, said: str
) -> None:
    if change == "alembic_ini":
        service.write("truegreen.toml", '[release]\nmigrate = "alembic"\nalembic_ini="other.ini"\n')
    ran = service.release(DATABASE_URL="sqlite:////nowhere/at/all/db.sqlite3")
    assert ran.code == 12
    assert said in ran.report.phases[1].problems[0]


def test_the_incident_is_told_with_test_body_variable_and_line(service: Service) -> None:
    service.write(
        "app.py",
        "import os\nimport flask\n\ndef create():\n    app = flask.Flask(__name__)\n"
        "    if os.environ.get('FLAG_A') == '1':\n"
        "        app.before_request(lambda: ({'error': 'direct_origin_blocked'}, 403))\n"
        "    return app\n",
    )
    service.write(
        "smoke/test_it.py",
        "import app\n\ndef test_walk():\n    answer = app.create().test_client().get('/beta')\n"
        "    assert answer.status_code == 404\n",
    )
    toml = '[smoke]\npaths = ["smoke"]\nseal = false\nleaks = "record"\n[flags.FLAG_A]\n'
    service.write("truegreen.toml", toml)
    ran = service.release(FLAG_A="1")
    smoke = ran.report.phases[1]
    assert (ran.code, smoke.total, smoke.failed, smoke.sealed) == (13, 1, 1, False)
    assert smoke.failures[0].test == "smoke/test_it.py::test_walk"
    assert smoke.failures[0].message == "assert 403 == 404"
    assert "direct_origin_blocked" in smoke.failures[0].body
    (leak,) = smoke.leaks
    assert (leak.variable, leak.file, leak.line, leak.present) == ("FLAG_A", "app.py", 6, True)

    service.write("truegreen.toml", toml.replace("seal = false\n", ""))
    sealed = service.release(FLAG_A="1")
    assert (sealed.code, sealed.report.phases[1].passed) == (0, 1), sealed.output
    service.write("truegreen.toml", toml.replace('seal = false\nleaks = "record"\n', ""))
    strict = service.release(FLAG_A="1")
    assert strict.code == 13
    assert "FLAG_A" in strict.report.phases[1].problems[0]


@pytest.mark.parametrize(
    ("tests", "said"),
    [
        ("", "collected no tests"),
        ("import pytest\n@pytest.mark.skip\ndef test_it():\n    pass\n", "all were skipped"),
        ("import os\ndef test_it():\n    os._exit(0)\n", "before it had a result"),
        ("import nowhere\n", "1 in error"),
        ("import os\ndef test_it():\n    assert not os.environ.get('DATABASE_URL', '')"
         ".endswith('production.sqlite3')\n    os.kill(os.getpid(), 9)\n", "ended with -9"),
    ],
)  # fmt: skip
def test_a_smoke_suite_that_asked_nothing_fails(service: Service, tests: str, said: str) -> None:
    service.write("smoke/test_it.py", tests)
    ran = service.release("--only", "smoke")
    assert ran.code == 13
    assert said in " ".join(ran.report.phases[0].problems)


def test_the_machine_cannot_choose_the_smoke_tests(service: Service) -> None:
    # pytest reads this one before any plugin is there: only a seal from outside keeps it away.
    ran = service.release("--only", "smoke", PYTEST_ADDOPTS="-k no_such_test")
    assert (ran.code, ran.report.phases[0].passed) == (0, 1), ran.output


def alive(pid: int) -> bool:
    """Whether ``pid`` runs; a zombie that its new parent has not collected yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 30
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(pid)


HANGS = """\
import pathlib, subprocess, sys, time, os
def test_it():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    part = pathlib.Path("part")
    part.write_text(f"{os.getpid()} {child.pid}")
    part.rename("pids")
    time.sleep(600)
"""


def test_a_hanging_suite_is_killed_with_its_children(service: Service) -> None:
    service.write("smoke/test_it.py", HANGS)
    service.write("truegreen.toml", '[smoke]\npaths = ["smoke"]\ntimeout = 6\n')
    ran = service.release()
    assert ran.code == 13, ran.output
    assert "did not end within 6 s and was killed" in ran.report.phases[1].problems[0]
    for pid in (service.root / "pids").read_text().split():
        assert gone(int(pid))
    assert service.leftovers() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_everything_and_leaves_what_was_there(
    service: Service, number: signal.Signals
) -> None:
    service.write("smoke/test_it.py", HANGS)
    with subprocess.Popen(
        COMMAND, cwd=service.root, env=service.environ({}), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            deadline = time.monotonic() + 60
            while not (service.root / "pids").exists():
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
            os.kill(process.pid, number)
            output, _ = process.communicate(timeout=60)
        finally:
            process.terminate()  # whatever went wrong, this ends its children too
    assert process.returncode == 128 + number
    report = parse_trailer(output)
    assert report is not None
    assert [phase.name for phase in report.phases] == ["preflight", "migrate"]
    assert (report.complete, report.exit) == (False, 128 + number)
    for pid in (service.root / "pids").read_text().split():
        assert gone(int(pid))
    assert service.leftovers() == []


def test_a_hangup_that_is_ignored_stays_ignored(service: Service) -> None:
    service.write(
        "smoke/test_it.py",
        "import os, signal\ndef test_it():\n    os.kill(os.getppid(), signal.SIGHUP)\n",
    )
    argv = ["nohup", sys.executable, *COMMAND[1:]]
    argv[3] = argv[3].replace("s.signal(s.SIGHUP, s.SIG_DFL);", "")
    done = subprocess.run(
        argv,
        cwd=service.root,
        env=service.environ({}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=150,
    )
    assert done.returncode == 0


def test_a_flood_of_output_costs_no_memory_and_hides_nothing(service: Service) -> None:
    service.write(
        "smoke/test_it.py",
        "import os\ndef test_it(capfd):\n    with capfd.disabled():\n"
        "        for _ in range(1000):\n            os.write(1, b'x' * 99_999 + b'\\n')\n",
    )
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**29, 2**29));"
        "from truegreen.cli import main; main()"
    )
    log = service.root / "log"
    with log.open("wb") as sink:
        done = subprocess.run(
            [sys.executable, "-c", code, "release", "--only", "smoke"],
            cwd=service.root,
            env=service.environ({}),
            stdout=sink,
            timeout=150,
        )
    assert done.returncode == 0
    assert log.stat().st_size > 90_000_000
    with log.open("rb") as source:
        source.seek(-LIMIT, os.SEEK_END)
        report = parse_trailer(source.read().decode())
    log.unlink()
    assert report is not None
    assert report.complete


def test_a_reader_that_left_does_not_change_the_result(service: Service) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    service.write("truegreen.toml", '[release]\nmigrate = "alembic"\n')
    with os.fdopen(writer, "wb") as sink:
        done = subprocess.run(
            COMMAND, cwd=service.root, env=service.environ({}), stdout=sink, timeout=150
        )
    assert done.returncode == 0
    assert service.database.exists()


def test_what_is_not_configured_is_said_and_is_no_phase(service: Service) -> None:
    service.write("truegreen.toml", '[service]\nname = "raptor"\n')
    ran = service.release()
    assert (ran.code, names(ran)) == (0, ["preflight"])
    assert "smoke: not run" in ran.output
    asked = service.release("--only", "smoke")
    assert asked.code == 2
    assert "[smoke] paths is empty" in asked.output
