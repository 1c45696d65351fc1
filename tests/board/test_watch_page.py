"""The page of the watches says in one sentence whether anybody looks on, and how far behind."""

from __future__ import annotations

from typing import Any

import pytest
from board_service import HOSTILE, NOW, Service

from truegreen.board.pages.watch import Spent, watch_document
from truegreen.state import locate
from truegreen.watch.hints import Delivery
from truegreen.watch.inbox import Inbox, Waiting
from truegreen.watch.pressure import Pressure
from truegreen.watch.roster import Roster, Watcher
from truegreen.watch.together import lasting

NOTHING = Waiting(0, 0.0, {})


def watcher(pressure: Pressure, name: str = "host-1") -> Watcher:
    return Watcher(name, "d1935e" * 10, True, 2.0, pressure.as_json())


KEEPS_UP = watcher(Pressure(apps=600, tokens=40, per_minute=74))
BEHIND = watcher(Pressure(apps=400, waiting=37, oldest=12.2, per_minute=74), "host-2")


@pytest.mark.parametrize(
    ("watchers", "waiting", "sentence", "verdict"),
    [
        ([], NOTHING, "Nobody watches now.", "unverified"),
        ([], Waiting(3, 1.0, {}), "Nobody watches now. 3 hints wait.", "unverified"),
        ([KEEPS_UP], NOTHING, "1 watch over 600 apps: nothing waits.", "green"),
        (
            [KEEPS_UP, BEHIND],
            NOTHING,
            "2 watches over 1,000 apps: behind. 37 apps wait to be looked at, the first for 12 s.",
            "unverified",
        ),
        (
            [KEEPS_UP],
            Waiting(1, 30.0, {}),
            "1 watch over 600 apps: a hint has waited for 30 s, and nobody took it.",
            "unverified",
        ),
    ],
)
def test_the_sentence(
    watchers: list[Watcher], waiting: Waiting, sentence: str, verdict: str
) -> None:
    document = watch_document(watchers, waiting, [Spent("d1935e" * 10, 4321)], NOW)
    assert (document["sentence"], document["verdict"]) == (sentence, verdict)
    assert document["budgets"] == [{"token": "d1935ed1935e", "calls_last_hour": 4321}]


def test_the_page_and_its_twin_show_watches_hints_and_calls(service: Service) -> None:
    with_nobody = service.get("/watch.json").json()
    assert with_nobody["sentence"] == "Nobody watches now."
    database = lasting(locate(service.root, {}))
    told: dict[str, Any] = {**BEHIND.told, "looks": HOSTILE, "apps": True}
    Roster(database).beat(f"host{HOSTILE}", "k" * 64, every_app=True, told=told)
    Inbox(database).put([Delivery("a", "delivery-1", None)], {"forged": 5})
    database.close()
    twin = service.get("/watch.json").json()
    assert [one["waiting"] for one in twin["watches"]] == [37]
    assert {one["name"]: one["count"] for one in twin["hints"]["counted"]} == {
        "forged": 5,
        "taken": 1,
    }
    page = service.get("/watch")
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "behind" in page.text
    assert "not signed with the secret" in page.text


def test_a_page_makes_no_file(service: Service) -> None:
    assert service.get("/watch").status_code == 200
    assert not (service.root / ".truegreen" / "watch.sqlite3").exists()


def test_a_database_that_went_away_is_opened_again_by_the_next_page(service: Service) -> None:
    database = lasting(locate(service.root, {}))
    Roster(database).beat("host-1", "k" * 64, every_app=True, told=KEEPS_UP.told)
    database.close()
    assert service.get("/watch").status_code == 200
    assert service.sources._watches is not None
    service.sources._watches.close()  # as when the server is started anew
    assert service.get("/watch").status_code == 503
    assert service.get("/watch.json").json()["watches"][0]["name"] == "host-1"
