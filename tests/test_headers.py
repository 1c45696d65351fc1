"""Headers as WSGI and ASGI have them; the splitter in Python and the compiled one, side by side."""

from __future__ import annotations

import gc
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from both_ways import WAYS, compiled
from hypothesis import given, settings
from hypothesis import strategies as st

from truegreen import headers

SECRET, ADDRESS = b"x-origin-secret", b"x-forwarded-for"
SOURCE = Path(headers.__file__).parent.parent


class Bytes(bytes):
    """As a framework may have them; compares as bytes do."""


class Pair(tuple[Any, ...]):
    pass


class Lines(list[Any]):
    pass


def near(name: bytes) -> list[bytes]:
    return [name, name[:-1], name + b"-", name.upper(), b"a" + name[1:], name[:-1] + b"\0", b""]


name = st.one_of(
    st.sampled_from([SECRET, ADDRESS]),
    st.sampled_from([*near(SECRET), *near(ADDRESS), b"host", b"zz"]),
    st.binary(max_size=16),
)
value = st.binary(max_size=20)
line = st.tuples(name, value)
odd = st.one_of(
    st.none(),
    st.integers(),
    name,
    st.tuples(),
    st.tuples(name),
    st.tuples(name, value, value),
    st.tuples(name, st.none() | st.text(max_size=3)),
    st.tuples(st.none() | st.text(max_size=3), value),
    st.lists(name, min_size=2, max_size=2),
    line.map(Pair),
    st.tuples(name.map(Bytes), value),
    st.tuples(name, value.map(Bytes)),
)
KINDS = [list, list, Lines, tuple]
names = st.sampled_from([(SECRET, ADDRESS), (ADDRESS, SECRET), (SECRET, SECRET), (b"", b"host")])


def pure(*asked: bytes) -> headers.Split:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(headers, "compiled", None)
        return headers.splitter(*asked)


def answer(split: Any, lines: Any) -> Any:
    """What it gives, and what kind of list; or what it raises."""
    try:
        found = split(lines)
    except (TypeError, ValueError, AttributeError) as error:
        return type(error), str(error)
    return *found, type(found[3]), found[3] is lines


def refuses(lines: Any) -> Any:
    raise AssertionError(f"the pure one was asked about {lines!r:.200}")


@settings(deadline=None, max_examples=300)
@given(names, st.lists(st.lists(line, max_size=12), min_size=1, max_size=3))
def test_compiled_and_pure_give_the_same_answers(
    asked: tuple[bytes, bytes], requests: list[list[tuple[bytes, bytes]]]
) -> None:
    quick, slow = compiled()(*asked, refuses), pure(*asked)
    for lines in requests:  # several: the pure one remembers where the secret stood
        before = list(lines)
        found = answer(quick, lines)
        assert found == answer(slow, lines)
        assert lines == before
        secret, address, several, stripped, *_ = found
        given_, others = headers.values(lines, asked[0]), headers.values(lines, asked[1])
        assert secret == (given_[-1] if given_ else None)
        assert address == (others[-1] if others and asked[0] != asked[1] else None)
        assert several == (len(given_) > 1 or (asked[0] != asked[1] and len(others) > 1))
        assert stripped == headers.without(lines, asked[0])


@settings(deadline=None, max_examples=300)
@given(names, st.lists(line, max_size=4), st.lists(odd, max_size=1), st.sampled_from(KINDS))
def test_what_servers_do_not_make_is_answered_by_the_pure_one(
    asked: tuple[bytes, bytes], items: list[Any], strange: list[Any], kind: Any
) -> None:
    made = kind([*items[:2], *strange, *items[2:]])
    told: list[Any] = []

    def twin(lines: Any) -> Any:
        told.append(lines)
        return pure(*asked)(lines)

    usual = type(made) is list and all(
        type(one) is tuple and len(one) == 2 and type(one[0]) is type(one[1]) is bytes
        for one in made
    )
    found = answer(compiled()(*asked, twin), made)
    assert found == answer(pure(*asked), made)
    assert [id(one) for one in told] == ([] if usual else [id(made)])


def test_ten_thousand_lines_are_no_harder_than_their_number() -> None:
    lines = [(SECRET if at % 2 else b"x-%d" % at, b"%d" % at) for at in range(10_000)]
    found = compiled()(SECRET, ADDRESS, refuses)(lines)
    assert found == pure(SECRET, ADDRESS)(lines)
    assert found[:3] == (b"9999", None, True)
    assert found[3] == lines[::2]


@pytest.mark.parametrize("way", WAYS)
def test_no_reference_is_lost_or_kept(way: str) -> None:
    """Every answer that splitter can give, 20,000 times."""
    make = compiled() if way == "compiled" else lambda a, b, _: pure(a, b)
    made = bytes(bytearray(b"x-origin-secret")), bytes(bytearray(b"x-forwarded-for"))
    split = make(*made, lambda lines: (None, None, False, lines))
    pairs = [(made[0], bytes(bytearray(b"s" * 9))), (made[1], bytes(bytearray(b"1" * 9))),
             (b"host", bytes(bytearray(b"x" * 9)))]  # fmt: skip
    requests = [[], pairs[1:], pairs, pairs[::-1], [*pairs, *pairs], [pairs[2], ("a", "b")]]
    requests = requests if way == "compiled" else requests[:-1]
    watched: list[Any] = [*made, *pairs, *(pair[1] for pair in pairs), *requests, None, True, False]

    def counted() -> list[int]:
        return [sys.getrefcount(one) for one in watched]

    def many(times: int) -> int:
        for lines in requests:
            for _ in range(times):
                split(lines)
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        first, before = many(100), counted()
        last = many(20_000)
        after = counted()
    finally:
        tracemalloc.stop()
    assert max(abs(new - old) for new, old in zip(after, before, strict=True)) < 100
    assert last - first < 10_000


def test_a_splitter_that_goes_takes_its_names_and_its_twin_along() -> None:
    gone: list[str] = []

    class Twin:
        def __init__(self) -> None:
            self.split = compiled()(SECRET, ADDRESS, self)  # a cycle through the compiled one

        def __call__(self, lines: Any) -> Any:
            return None, None, False, lines

        def __del__(self) -> None:
            gone.append("gone")

    for _ in range(3):
        assert Twin().split([]) == (None, None, False, [])
    gc.collect()
    assert gone == ["gone"] * 3


@pytest.mark.parametrize("asked", [(), (SECRET,), (SECRET, "x", None), (None, SECRET, None)])
def test_a_splitter_of_anything_but_names_is_not_made(asked: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError):
        compiled()(*asked)


def test_the_compiled_one_is_taken_where_it_is_installed_and_python_elsewhere(
    tmp_path: Path,
) -> None:
    ask = (
        f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(SOURCE)!r}]\n"
        "from truegreen import headers\n"
        f"print(headers.splitter({SECRET!r}, {ADDRESS!r})([({SECRET!r}, b'x')]))"
    )

    def told() -> str:
        ran = subprocess.run(
            [sys.executable, "-I", "-S", "-c", ask], capture_output=True, text=True, check=True
        )
        return ran.stdout.strip()

    assert told() == "(b'x', None, False, [])"
    stub = tmp_path / "truegreen_speedups.py"
    stub.write_text("def splitter(*names):\n    return lambda lines: len(names)\n")
    assert told() == "3"
    stub.write_text("raise ImportError('for another Python')\n")
    assert told() == "(b'x', None, False, [])"
