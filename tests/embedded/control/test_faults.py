"""Faults as values: read from text, shown as text, refused when they mean nothing; and which of
the replaced dynos serve on."""

from __future__ import annotations

import asyncio

import pytest

from truegreen.embedded import faults
from truegreen.embedded.fault_effects import ActiveFaults
from truegreen.embedded.handover import Handover, Kept
from truegreen.errors import UsageError


@pytest.mark.parametrize("kind", faults.KINDS.values(), ids=lambda kind: kind.name)
def test_each_fault_has_a_name_a_summary_and_is_its_text(kind: type[faults.Fault]) -> None:
    fault = kind()
    assert fault.summary
    assert faults.parse(kind.name, fault.as_text()) == fault
    with pytest.raises(UsageError, match="has no `nothing`"):
        faults.parse(kind.name, {"nothing": "1"})


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("nope", {}, "there is no fault"),
        ("api-error", {"rate": "0"}, "0 < rate"),
        ("api-error", {"rate": "nan"}, "is no float"),
        ("api-slow", {"seconds": "-1"}, "negative"),
        ("stream-cut", {"size": "x"}, "is no int"),
        ("api-rate-limit", {"headers": "maybe"}, "is no bool"),
    ],
)
def test_what_means_nothing_is_refused(name: str, values: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        faults.parse(name, values)


@pytest.mark.parametrize(("rate", "hits"), [(1.0, 10), (0.5, 5), (0.3, 3), (0.1, 1)])
def test_a_rate_hits_its_share_and_the_first(rate: float, hits: int) -> None:
    async def count() -> list[bool]:
        active = ActiveFaults()
        await active.add(faults.ServerError(rate=rate))
        return [
            bool(active.hits(faults.ApiFault, lambda _: True, lambda fault: fault.rate))
            for _ in range(10)
        ]

    found = asyncio.run(count())
    assert sum(found) == hits
    assert found[0]


def test_old_dynos_linger_their_time_and_the_next_release_ends_those_before() -> None:
    async def scenario() -> None:
        retired: list[str] = []
        kept: Kept[str] = Kept(retired.append)
        kept.take("a", ["v1"], Handover(linger=600))
        assert (kept.lingering("a"), retired) == (["v1"], [])
        kept.take("a", ["v2"], Handover(linger=0.05))
        assert (kept.lingering("a"), retired) == (["v2"], ["v1"])
        while kept.lingering("a"):
            await asyncio.sleep(0.01)
        assert retired == ["v1", "v2"]
        kept.take("a", ["v3"], Handover())
        assert retired[-1] == "v3"

    asyncio.run(scenario())


def test_one_stale_dyno_is_kept_until_it_is_dropped_or_all_is_closed() -> None:
    async def scenario() -> None:
        retired: list[str] = []
        kept: Kept[str] = Kept(retired.append)
        kept.take("a", ["v1", "v1b"], Handover(stale=True))
        kept.take("a", ["v2"], Handover(stale=True))
        assert (kept.stale("a"), retired) == (["v1"], ["v1b", "v2"])
        kept.drop_stale()
        assert (kept.stale("a"), retired[-1]) == ([], "v1")
        kept.take("a", ["v3", "v3b"], Handover(linger=600, stale=True))
        kept.close()
        assert retired[-2:] == ["v3b", "v3"]

    asyncio.run(scenario())
