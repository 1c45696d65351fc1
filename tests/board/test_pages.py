"""What each page says, as HTML and as JSON."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from board_service import COMMIT, HOSTILE, Service, green, published, red

REVIEW = """---
id: 2026-06-21-x
title: "v154 failed"
date: 2026-06-21
status: open
began: 2026-06-21T19:29:00Z
detected: 2026-06-21T19:36:00Z
ended: 2026-06-21T19:35:00Z
app: raptor-prod
actions:
  - id: done
    title: a thing that is done
    status: closed
    closed: {at: 2026-06-21T19:50:00Z, commit: aaa, proof: "sha256:0"}
  - id: late
    title: a thing that is late
    due: 2026-06-20
---

## Summary

It failed, and *nobody* knew.
"""


class Texts(HTMLParser):
    """What a reader sees, and the elements that there are."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self._quiet = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self._quiet = tag in ("style", "script")

    def handle_endtag(self, tag: str) -> None:
        self._quiet = False

    def handle_data(self, data: str) -> None:
        if not self._quiet:
            self.text += data


def review(service: Service, text: str = REVIEW) -> None:
    folder = service.root / "docs" / "incidents"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "2026-06-21-x.md").write_text(text, encoding="utf-8")


def test_without_a_ledger_the_board_says_what_writes_one_and_makes_none(service: Service) -> None:
    answer = service.get("/")
    assert answer.status_code == 200
    assert "Nothing has been shipped or verified yet." in answer.text
    assert "truegreen ship" in answer.text
    assert not (service.root / ".truegreen").exists()


def test_all_apps_trouble_first_with_both_axes_and_what_clears_it(service: Service) -> None:
    service.record(green("green-app"))
    service.record(red("red-app"))
    service.record(green("another"))
    told = service.get("/index.json").json()
    assert told["sentence"] == "Of 3 apps, 1 is red."
    assert [(one["app"], one["verdict"]) for one in told["apps"]] == [
        ("red-app", "red"), ("another", "green"), ("green-app", "green"),
    ]  # fmt: skip
    first = told["apps"][0]
    assert first["released"] == {"version": "v154", "status": "failed"}
    assert first["running"]["version"] == "v153"
    assert first["blocked"] == {"why": "fix forward: v153 serves on", "command": "truegreen ship"}
    assert first["lease"] is None
    assert first["age"] == "20 min ago"
    assert told["apps"][1]["blocked"] is None


def test_more_apps_than_a_page_holds_are_paged_and_found_by_name(service: Service) -> None:
    for number in range(43):
        service.record(green(f"app-{number:02}"))
    first = service.get("/index.json").json()
    last = service.get("/index.json?page=2").json()
    assert (len(first["apps"]), len(last["apps"])) == (40, 3)
    assert first["paging"] == {"page": 1, "pages": 2, "apps": 43}
    assert service.get("/index.json?page=99").json()["paging"]["page"] == 2
    found = service.get("/index.json?app=P-07").json()
    assert [one["app"] for one in found["apps"]] == ["app-07"]
    assert "page 1 of 2" in service.get("/").text


def test_one_app_has_its_strip_its_drift_and_its_measures(service: Service) -> None:
    service.record(red())
    service.record(green())
    change = {"change": "config-drift", "key": "d1", "told": "the config vars have changed"}
    service.record({**change, "gone": False}, "watch", app="raptor-prod")
    service.record(
        {"change": "dyno-crashed", "key": "web.1", "told": "web.1 is crashed", "gone": False},
        "watch", app="raptor-prod",
    )  # fmt: skip
    service.record(
        {"change": "dyno-crashed", "key": "web.1", "told": "web.1 is crashed", "gone": True},
        "watch", app="raptor-prod",
    )  # fmt: skip
    told = service.get("/apps/raptor-prod.json").json()
    assert [one["verdict"] for one in told["strip"]] == ["red", "green"]
    assert [one["told"] for one in told["drift"]] == ["the config vars have changed"]
    assert told["schema"]["relation"] == "at head"
    assert (told["dora"]["deployments"], told["dora"]["failed"]) == (1, 1)
    assert "the config vars have changed" in service.get("/apps/raptor-prod").text
    assert service.get("/apps/nobody").status_code == 404


def test_the_runs_of_an_app_go_on_where_a_page_ended(service: Service) -> None:
    for _ in range(25):
        service.record(green())
    told = service.get("/apps/raptor-prod.json").json()
    rest = service.get(f"/apps/raptor-prod.json?before={told['older']}").json()
    assert [one["record"] for one in told["runs"] + rest["runs"]] == list(range(25, 0, -1))
    assert rest["older"] is None


def test_one_release_says_who_said_what_and_when(service: Service) -> None:
    service.record(red())
    told = service.get("/releases/1.json").json()
    chain = told["chain"]
    assert [(one["name"], one["x"]) for one in chain["checks"]] == [
        ("build.succeeded", 20.0), ("release.command", 100.0), ("code.served", 100.0),
    ]  # fmt: skip
    build, release = chain["steps"]
    assert (build["x"], build["width"], build["took"]) == (0.0, 40.0, "4.0 s")
    assert release["state"] == "failed"
    lines = told["output"][0]["lines"]
    assert [(one["number"], one["skipped"]) for one in lines] == [(3, 2), (7, 3)]
    assert told["diagnosis"][0]["name"] == "guard-answered-smoke"
    assert told["wave"]["commits"][0]["pull_request"] == "5"
    assert told["overrides"][0]["gate"] == "freeze"
    assert told["newer"] is None
    page = service.get("/releases/1").text
    assert "<mark" in page
    assert "fix forward: v153 serves on" in page


def test_a_release_names_the_later_run_and_those_of_its_commit(service: Service) -> None:
    service.record(red())
    service.record(green())
    told = service.get("/releases/1.json").json()
    assert told["newer"]["record"] == 2
    assert [one["record"] for one in told["same_commit"]] == [2]
    assert service.get("/releases/2.json").json()["newer"] is None


def test_an_interrupted_run_says_where_and_what_goes_on(service: Service) -> None:
    service.record({"interrupted": "release", "events": []}, app="raptor-prod")
    told = service.get("/apps/raptor-prod.json").json()
    assert told["verdict"] == "interrupted"
    assert told["sentence"] == "The ship of raptor-prod was interrupted in its step release."
    assert told["blocked"]["command"] == "truegreen ship"


@pytest.mark.parametrize("path", ["/releases/2", "/releases/x", "/releases/99999999999999999999",
                                  "/releases/-1", "/nope", "/incidents/nope",
                                  "/incidents/..%2f..%2ftruegreen"])  # fmt: skip
def test_what_is_not_there_is_a_page_that_says_so(service: Service, path: str) -> None:
    service.record({"sentence": "an override"}, "override", app="raptor-prod")
    answer = service.get(path)
    assert answer.status_code == 404
    assert "There is no such page on this board." in answer.text


def test_one_incident_from_cause_to_resolution_and_its_followups_by_age(service: Service) -> None:
    review(service)
    told = service.get("/incidents/2026-06-21-x.json").json()
    assert [(bar["took"], bar["x"], bar["width"]) for bar in told["waterfall"]["bars"]] == [
        ("6 min", 0.0, 85.71), ("7 min", 0.0, 100.0),
    ]  # fmt: skip
    assert [(one["id"], one["state"]) for one in told["actions"]] == [
        ("late", "overdue"), ("done", "closed"),
    ]  # fmt: skip
    assert told["summary"] == ["It failed, and nobody knew."]
    listed = service.get("/incidents.json").json()
    assert listed["sentence"] == "1 incident on record; 1 follow-up is open."
    assert service.get("/incidents").status_code == 200


def test_a_review_that_cannot_be_read_is_named_and_the_other_pages_stay(service: Service) -> None:
    review(service, "---\nid: [\n")
    listed = service.get("/incidents").text
    assert "The reviews cannot be read." in listed
    assert "2026-06-21-x.md" in listed
    assert service.get("/incidents/2026-06-21-x").status_code == 503
    assert service.get("/").status_code == 200


def test_drills_show_the_gap_then_and_now(service: Service) -> None:
    name = "release-smoke-cf-origin-guard"
    never = service.get("/drills.json").json()
    assert never["sentence"] == "No drill has been recorded here yet."
    body = {"name": name, "passed": True, "seconds": 21.0, "problems": [], "runs": [],
            "gap": {"now": 0.4, "then": 60.0, "then_told": "a person looked"}}  # fmt: skip
    service.record(body, "drill")
    told = next(one for one in service.get("/drills.json").json()["drills"] if one["name"] == name)
    assert told["then"] == {"by": "a person looked", "gap": "60 s", "seconds": 60.0}
    assert (told["last"]["gap"], told["last"]["passed"]) == ("0.4 s", True)
    service.record({**body, "passed": False}, "drill")
    failed = service.get("/drills.json").json()
    assert failed["verdict"] == "red"
    assert service.get("/drills").status_code == 200


@pytest.mark.parametrize("path", ["/", "/apps/A", "/releases/1", "/incidents", "/drills",
                                  "/incidents/2026-06-21-x", "/nope"])  # fmt: skip
def test_hostile_texts_are_text_and_nothing_of_a_page_runs_inline(
    service: Service, path: str
) -> None:
    service.record(red(HOSTILE, HOSTILE))
    service.record(green(HOSTILE))
    safe = HOSTILE.replace("'", "''").replace('"', "").replace("\u202e", "")
    review(service, REVIEW.replace("a thing that is late", f"'{safe}'"))
    from urllib.parse import quote

    page = Texts(service.get(path.replace("A", quote(HOSTILE, safe=""))).text)
    assert "img" not in page.tags
    assert page.tags.count("script") == 1
    assert page.tags.count("style") == 1
    assert not [name for name in page.attributes if name.startswith("on") or name == "style"]
    if path == "/apps/A":
        assert HOSTILE in page.text


def test_a_body_of_wrong_types_is_a_page_all_the_same(service: Service) -> None:
    service.record({"verdict": "green", "sentence": ["x"], "checks": "no", "events": [1, None],
                    "diagnosis": [{"quotes": [{"line": "7"}]}], "wave": {"files": "two"},
                    "schema": {"heads": {}, "current": 3}, "release": [], "serving": "v1",
                    "gates": [{}], "overrides": [{}], "recommendation": 7}, app="odd")  # fmt: skip
    service.record(
        {"verdict": "weird", "checks": [{"at": "never"}], "events": [{"step": "s", "at": 5}]},
        app="odd",
    )
    for path in ("/", "/apps/odd", "/releases/1", "/releases/2"):
        assert service.get(path).status_code == 200, path


def test_the_twin_is_asked_for_by_address_or_by_accept(service: Service) -> None:
    service.record(green())
    for path in ("/", "/apps/raptor-prod", "/releases/1", "/incidents", "/drills"):
        asked = service.get(path, accept="application/json")
        assert asked.headers["content-type"] == "application/json"
        twin = "/index.json" if path == "/" else f"{path}.json"
        assert service.get(twin).json() == asked.json()
        assert {"page", "sentence", "verdict"} <= set(asked.json())
        assert service.get(path, accept="text/html,application/json").text.startswith("<!doctype")
    assert COMMIT in service.get("/releases/1.json").text


def test_what_a_schema_does_not_name_is_on_no_page(service: Service) -> None:
    service.record(red())
    for path, name in (("/index.json", "apps"), ("/releases/1.json", "release")):
        document = service.get(path).json()
        assert not published(name).is_valid({**document, "more": 1}), name
        for key in document:
            less = {other: value for other, value in document.items() if other != key}
            assert not published(name).is_valid(less), (name, key)


def test_the_last_run_of_each_app_follows_the_ledger_without_reading_it_again(
    service: Service,
) -> None:
    service.record(green("a"))
    assert service.get("/index.json").json()["counts"]["green"] == 1
    service.record(red("b"))
    service.record(red("a"))
    service.record({"told": "a change"}, "watch", app="c")
    told = service.get("/index.json").json()
    assert [(one["app"], one["record"]) for one in told["apps"]] == [("a", 3), ("b", 2)]
