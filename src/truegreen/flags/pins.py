"""``pin``: fixes flags for a test, in this context (thread or task) and nowhere else.

A pin outranks every other source. Knows which flags are declared in this process and which values
are alive, and nothing of where values come from. Never for production code: a flag is constant.
"""

from __future__ import annotations

import os
from _thread import allocate_lock
from contextvars import ContextVar
from weakref import WeakValueDictionary

from truegreen.flags.grammar import FlagError, FlagProblem, Unparseable, take

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextvars import Token
    from typing import Any, Protocol, TypeVar

    from truegreen.flags.grammar import Value

    _F = TypeVar("_F", bound=Callable[..., Any])

    class _ShowsPins(Protocol):
        def show_pins(self, active: bool) -> None: ...


PINNED: ContextVar[Mapping[str, Value]] = ContextVar("truegreen.flags.pins", default={})  # noqa: B039

_LOCK = allocate_lock()
_ALIVE: WeakValueDictionary[int, _ShowsPins] = WeakValueDictionary()
_DECLARED: dict[str, set[tuple[str, tuple[str, ...]]]] = {}
_active = 0


def declare(name: str, kind: str, choices: tuple[str, ...]) -> None:
    """Somebody in this process declares a flag: from now on a pin of it is checked."""
    with _LOCK:
        _DECLARED.setdefault(name, set()).add((kind, choices))


def adopt(values: _ShowsPins) -> None:
    """New values, which pins must reach."""
    with _LOCK:
        _ALIVE[id(values)] = values
        if _active:
            values.show_pins(True)


def _after_fork() -> None:
    """In a child of one thread: nobody gives the lock back that another thread held, and what that
    was about to do is still to be done."""
    global _LOCK
    _LOCK = allocate_lock()
    for one in list(_ALIVE.values()):
        one.show_pins(bool(_active))


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)


class pin:
    """``with pin(FLAG_X=True):`` or ``@pin(FLAG_X=True)``, on a function or a coroutine function.

    Holds for every read, and every ``Flags.read``, of the thread or task that entered it; other
    threads do not see it, unless they are run with ``contextvars.copy_context()``. Pins nest; the
    inner wins. What is read by ``Flags.read`` inside stays pinned.

    Raises FlagError at once for a value that does not fit a declared flag, and at the end for a
    name that nothing in the process ever declared: a typo would pin nothing. TypeError when one
    object is entered twice, or decorates a generator.
    """

    __slots__ = ("_token", "_values")

    def __init__(self, values: Mapping[str, Value] | None = None, /, **named: Value) -> None:
        self._values: dict[str, Value] = {**(values or {}), **named}
        self._token: Token[Mapping[str, Value]] | None = None

    def __enter__(self) -> pin:
        if self._token is not None:
            raise TypeError("this pin is active already: make another")
        values = {name: _checked(name, value) for name, value in self._values.items()}
        _count(+1)
        self._token = PINNED.set({**PINNED.get(), **values})
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        token, self._token = self._token, None
        if token is None:
            return
        try:
            PINNED.reset(token)
        finally:
            _count(-1)
        if kind is None:
            unknown = sorted(name for name in self._values if name not in _DECLARED)
            if unknown:
                raise FlagError(_unknown(name) for name in unknown)

    def __call__(self, function: _F) -> _F:
        import functools
        import inspect

        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(f"{function.__name__} is a generator: use `with pin(…)` inside it")
        if isinstance(function, type):
            raise TypeError(f"{function.__name__} is a class: pin its functions")
        values = self._values
        wrapper: Any
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def wrapper(*args: Any, **named: Any) -> Any:
                with pin(values):
                    return await function(*args, **named)
        else:

            @functools.wraps(function)
            def wrapper(*args: Any, **named: Any) -> Any:
                with pin(values):
                    return function(*args, **named)

        return wrapper  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"pin({', '.join(sorted(self._values))})"


def _count(change: int) -> None:
    global _active
    with _LOCK:
        before, _active = _active, _active + change
        if bool(before) != bool(_active):
            for one in list(_ALIVE.values()):
                one.show_pins(bool(_active))


def _checked(name: str, value: Value) -> Value:
    kinds = _DECLARED.get(name)
    if not kinds:
        return value
    problem: tuple[Any, ...] = ()
    for kind, choices in sorted(kinds):
        try:
            return take(kind, value, choices)
        except Unparseable as error:
            problem = error.args
    raise FlagError([FlagProblem(name, "", f"is pinned: {problem[0]}", str(problem[1]))])


def _unknown(name: str) -> FlagProblem:
    return FlagProblem(
        name, "", "is pinned and nothing declares it", f"declare it in [flags.{name}], or mend it"
    )
