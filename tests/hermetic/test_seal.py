"""What is left of an environment under the seal."""

from pathlib import Path

import pytest

from truegreen.hermetic.seal import seal

MACHINE = {
    "PATH": "/bin",
    "HOME": "/users/me",
    "LC_ALL": "C",
    "PYTHONPATH": "/app",
    "PYTHON_ENV": "production",
    "PYTEST_ADDOPTS": "-k nothing",
    "FLAG_ENFORCE_CF_ORIGIN": "1",
    "DATABASE_URL": "postgres://production",
    "HEROKU_SLUG_COMMIT": "f00",
    "AWS_REGION": "eu",
}
SCRATCH = Path("/scratch")


def test_only_what_is_pinned_or_let_through_stays() -> None:
    sealed = seal(MACHINE, {"FLAG_X": "0"}, ["AWS_*"], scratch=SCRATCH)
    assert dict(sealed.environ) == {
        "PATH": "/bin",
        "PYTHONPATH": "/app",
        "PYTHONUSERBASE": "/users/me/.local",
        "HOME": "/scratch/home",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "AWS_REGION": "eu",
        "FLAG_X": "0",
        "TZ": "UTC",
        "DATABASE_URL": "sqlite:////scratch/scratch.sqlite3",
    }
    assert sealed.removed == (
        "FLAG_ENFORCE_CF_ORIGIN",
        "HEROKU_SLUG_COMMIT",
        "PYTEST_ADDOPTS",
        "PYTHON_ENV",
    )
    assert sealed.pinned == {"FLAG_X", "TZ", "LANG", "LC_ALL", "HOME", "DATABASE_URL"}


def test_a_pin_wins_over_the_machine_and_over_our_own() -> None:
    pins = {"FLAG_ENFORCE_CF_ORIGIN": "0", "DATABASE_URL": "sqlite://", "PATH": "/usr/bin"}
    sealed = seal(MACHINE, pins, scratch=SCRATCH)
    assert pins.items() <= sealed.environ.items()


def test_the_machines_database_is_seen_only_when_named() -> None:
    sealed = seal(MACHINE, {}, ["DATABASE_URL"], scratch=SCRATCH)
    assert sealed.environ["DATABASE_URL"] == "postgres://production"
    everything = seal(MACHINE, {}, ["*"], scratch=SCRATCH)
    assert everything.environ["DATABASE_URL"] == "postgres://production"


def test_without_the_seal_pins_are_set_and_nothing_is_removed() -> None:
    sealed = seal(MACHINE, {"FLAG_X": "0"}, scratch=SCRATCH, sealed=False)
    assert dict(sealed.environ) == MACHINE | {"FLAG_X": "0"}
    assert sealed.removed == ()


@pytest.mark.parametrize("name", ["LD_LIBRARY_PATH", "PYTHONHASHSEED", "PYTEST_XDIST_WORKER"])
def test_what_the_interpreter_and_pytest_need_is_let_through(name: str) -> None:
    assert name in seal({}, {}, scratch=SCRATCH).passes


def test_sealing_twice_is_sealing_once() -> None:
    once = seal(MACHINE, {"A": "1"}, scratch=SCRATCH)
    assert seal(once.environ, {"A": "1"}, scratch=SCRATCH).environ == once.environ
