"""pin: fixes flags for one thread or task, outranks everything, and leaves nothing behind."""

import asyncio
import contextvars
import gc
import json
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from truegreen.config import FlagDeclaration
from truegreen.flags import FlagError, Flags, FlagValues, Origin, pin

FLAGS = Flags(
    "PINNED_",
    {
        "PINNED_A": FlagDeclaration("PINNED_A"),
        "PINNED_N": FlagDeclaration("PINNED_N", type="int", default=3),
        "PINNED_F": FlagDeclaration("PINNED_F", type="float", default=0.5),
        "PINNED_C": FlagDeclaration("PINNED_C", type="choice", default="a", choices=("a", "b")),
    },
)


@pytest.fixture
def values() -> FlagValues:
    return FLAGS.read({"PINNED_N": "7"})


def test_a_pin_holds_inside_and_leaves_nothing_behind(values: FlagValues) -> None:
    with pin(PINNED_N=0, PINNED_C="b"):  # also what counts as false
        assert (values["PINNED_N"], values["PINNED_C"]) == (0, "b")
        assert pickle.loads(pickle.dumps(values))["PINNED_N"] == 0
        kept = pickle.dumps(values)
    assert pickle.loads(kept)["PINNED_N"] == 7
    with pin(PINNED_N=9, PINNED_F=2):
        assert (values["PINNED_N"], values.get("PINNED_N"), values["PINNED_A"]) == (9, 9, False)
        assert repr(values["PINNED_F"]) == "2.0"
        assert values.origin("PINNED_N") == Origin("pin", True, None, 3)
        assert values.origin("PINNED_A").source == "default"
        assert "PINNED_N=9 (pin)" in repr(values)
    assert values["PINNED_N"] == 7
    assert values.origin("PINNED_N") == Origin("env", True, "7", 3)
    assert type(values) is FlagValues


def test_every_way_of_reading_sees_the_pin(values: FlagValues) -> None:
    with pin(PINNED_N=9):
        assert dict(values)["PINNED_N"] == {**values}["PINNED_N"] == 9
        assert dict(values.items())["PINNED_N"] == 9
        assert 9 in values.values()
        assert json.loads(json.dumps(values))["PINNED_N"] == 9
        assert [values[name] for name in values] == [False, 9, 0.5, "a"]


def test_pins_nest_and_the_inner_wins(values: FlagValues) -> None:
    with pin(PINNED_N=1, PINNED_A=True):
        with pin(PINNED_N=2):
            assert (values["PINNED_N"], values["PINNED_A"]) == (2, True)
        assert values["PINNED_N"] == 1


def test_a_pin_outranks_config_and_keeps_the_environment_unasked() -> None:
    with pin(PINNED_N=9):
        values = FLAGS.read({"PINNED_N": "many"}, config={"PINNED_N": 8})
        assert values["PINNED_N"] == 9
    assert values["PINNED_N"] == 9, "what was read under a pin is constant, too"
    assert values.origin("PINNED_N").source == "pin"


def test_a_pin_is_undone_when_the_test_fails(values: FlagValues) -> None:
    with pytest.raises(ZeroDivisionError), pin(PINNED_N=9):
        1 / 0  # noqa: B018
    assert values["PINNED_N"] == 7


def test_a_pin_decorates_functions_and_coroutines(values: FlagValues) -> None:
    @pin(PINNED_N=9)
    def twice(again: bool = True) -> list[object]:
        """Doc."""
        return [values["PINNED_N"], *(twice(again=False) if again else [])]

    @pin(PINNED_N=10)
    async def later() -> object:
        await asyncio.sleep(0)
        return values["PINNED_N"]

    assert twice() == [9, 9]
    assert (twice.__name__, twice.__doc__) == ("twice", "Doc.")
    assert asyncio.run(later()) == 10
    assert values["PINNED_N"] == 7


def test_a_generator_is_not_decorated() -> None:
    def produce() -> Iterator[int]:
        yield 1

    with pytest.raises(TypeError, match="generator"):
        pin(PINNED_N=1)(produce)


def test_tasks_do_not_see_each_others_pins(values: FlagValues) -> None:
    async def pinned(number: int) -> bool:
        with pin(PINNED_N=number):
            for _ in range(20):
                await asyncio.sleep(0)
                if values["PINNED_N"] != number:
                    return False
        return values["PINNED_N"] == 7

    async def all_of_them() -> list[bool]:
        return await asyncio.gather(*(pinned(number) for number in range(20, 40)))

    assert all(asyncio.run(all_of_them()))


def test_threads_do_not_see_each_others_pins(values: FlagValues) -> None:
    wrong: list[object] = []

    def pinned(number: int) -> None:
        for _ in range(200):
            with pin(PINNED_N=number):
                if values["PINNED_N"] != number:
                    wrong.append(number)
            if values["PINNED_N"] != 7:
                wrong.append(number)

    threads = [threading.Thread(target=pinned, args=(number,)) for number in range(20, 28)]
    for thread in threads:
        thread.start()
    for _ in range(2000):
        if values["PINNED_N"] != 7:
            wrong.append("main")
    for thread in threads:
        thread.join()
    assert wrong == []
    assert type(values) is FlagValues


def test_a_thread_that_is_given_the_context_sees_the_pin(values: FlagValues) -> None:
    seen: list[object] = []
    with pin(PINNED_N=9):
        context = contextvars.copy_context()
    thread = threading.Thread(target=lambda: seen.append(values["PINNED_N"]))
    thread.start()
    thread.join()
    with pin(PINNED_A=True):  # some pin is active: otherwise nobody asks the context
        carried = threading.Thread(
            target=context.run, args=(lambda: seen.append(values["PINNED_N"]),)
        )
        carried.start()
        carried.join()
    assert seen == [7, 9]


@pytest.mark.parametrize(
    "wrong", [{"PINNED_A": 1}, {"PINNED_N": True}, {"PINNED_N": "1"}, {"PINNED_C": "z"}]
)
def test_a_pin_of_the_wrong_type_is_refused_at_once(
    values: FlagValues, wrong: dict[str, bool | int | str]
) -> None:
    with pytest.raises(FlagError, match="is pinned"), pin(wrong):
        pytest.fail("entered")
    assert type(values) is FlagValues


def test_a_pin_of_a_name_that_nobody_declares_is_an_error_at_the_end(values: FlagValues) -> None:
    typo = pin(PINNED_TYPO=True)
    typo.__enter__()
    with pytest.raises(FlagError, match="is not a declared flag"):
        values["PINNED_TYPO"]
    with pytest.raises(FlagError, match="pinned and not declared"):
        FLAGS.read({})
    with pytest.raises(FlagError, match="PINNED_TYPO: is pinned and nothing declares it"):
        typo.__exit__(None)
    assert type(values) is FlagValues


def test_an_active_pin_is_not_entered_again() -> None:
    one = pin(PINNED_N=1)
    with one, pytest.raises(TypeError, match="active already"):
        one.__enter__()
    with one:
        assert FLAGS.read({})["PINNED_N"] == 1


def test_values_made_while_a_pin_is_active_are_reached_by_it() -> None:
    with pin(PINNED_A=True):
        values = FLAGS.read({})
        with pin(PINNED_N=4):
            assert values["PINNED_N"] == 4
    assert type(values) is FlagValues


def test_values_that_nobody_needs_any_more_are_let_go(values: FlagValues) -> None:
    from truegreen.flags import pins

    gc.collect()
    before = len(pins._ALIVE)
    for _ in range(5):
        FLAGS.read({})
    gc.collect()
    assert len(pins._ALIVE) == before


FIXTURE_TESTS = """
pytest_plugins = ["truegreen.hermetic.flag_fixture"]
from truegreen.config import FlagDeclaration
from truegreen.flags import Flags

declared = [FlagDeclaration("F_A"), FlagDeclaration("F_N", type="int", default=1)]
VALUES = Flags("F_", {flag.name: flag for flag in declared}).read({})

def test_pinned(pin_flags):
    pin_flags(F_A=True)
    pin_flags({"F_N": 5}, F_A=False)
    assert (VALUES["F_A"], VALUES["F_N"]) == (False, 5)

def test_unpinned():
    assert (VALUES["F_A"], VALUES["F_N"]) == (False, 1)

def test_a_typo(pin_flags):
    pin_flags(F_N=7)
    pin_flags(F_TYPO=True)

def test_after_the_typo():
    assert (VALUES["F_A"], VALUES["F_N"]) == (False, 1)
"""


def test_the_fixture_pins_until_the_end_of_the_test(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_it.py").write_text(FIXTURE_TESTS)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "4 passed, 1 error" in done.stdout, done.stdout
    assert "F_TYPO: is pinned and nothing declares it" in done.stdout


def test_a_child_forked_while_another_thread_pins_can_pin_and_read() -> None:
    """The lock is held by a thread that the child has not, in the midst of what it does."""
    script = """
import os, signal
from truegreen.config import FlagDeclaration
from truegreen.flags import Flags, pin, pins
flags = Flags("FLAG_", {"FLAG_A": FlagDeclaration("FLAG_A")})
values = flags.read({})
pins._LOCK.acquire()
pins._active += 1
child = os.fork()
if child == 0:
    signal.alarm(20)  # its end, if it waits for the lock
    with pin(FLAG_A=True):
        seen = values["FLAG_A"], flags.read({})["FLAG_A"]
    os._exit(0 if seen == (True, True) and values["FLAG_A"] is False else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (ran.stdout, ran.stderr) == ("0\n", "")
