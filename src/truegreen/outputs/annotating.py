"""A run's record as annotations: what failed, at the line that shows it where there is one."""

from __future__ import annotations

from collections.abc import Iterator

from truegreen.errors import printable
from truegreen.outputs.annotations import Annotation, workflow_commands
from truegreen.outputs.run_record import RunRecord

_LEVELS = {"green": "notice", "red": "error", "unverified": "error"}


def annotate(record: RunRecord) -> Iterator[str]:
    """Workflow commands: the sentence first, then leaks at their lines, then the other checks."""
    return workflow_commands(annotated(record))


def annotated(record: RunRecord) -> Iterator[Annotation]:
    """The annotations as values."""
    config = f"{record.root}/truegreen.toml".lstrip("/")
    title = f"{record.verdict.upper()} {record.title}"
    yield Annotation(_LEVELS[record.verdict], config, 1, title, printable(record.sentence))
    smoke = record.smoke
    for leak in smoke["leaks"] if smoke else ():
        if leak["present"]:
            file = f"{record.root}/{leak['file']}".lstrip("/")
            text = f"{leak['variable']} is read here in a smoke test, and not pinned"
            yield Annotation("error", file, max(1, int(leak["line"])), "inherited variable", text)
    for check in record.checks("fail", "unknown"):
        level = (
            ("error" if check["status"] == "fail" else "warning") if check["required"] else "notice"
        )
        text = printable(f"{check['observed']} (expected: {check['expected']})")
        yield Annotation(level, config, 1, str(check["name"]), text)
