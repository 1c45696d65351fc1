"""GitHub's step summary: Markdown with the verdict first, because that is what is read.

Limit: 1 MiB a step, and a summary beyond it is not shown at all, so it is cut before that.
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from truegreen.errors import printable
from truegreen.outputs.run_record import RunRecord

LIMIT = 1024 * 1024 - 1024  # bytes
_MARKS = {"pass": "✅", "fail": "❌", "unknown": "❔"}
_HEADS = {"green": "🟢 GREEN", "red": "🔴 RED", "unverified": "🟡 UNVERIFIED"}


def step_summary(record: RunRecord) -> str:
    """The record as Markdown; text from the platform is inert in it."""
    lines = [f"## {_HEADS[record.verdict]}: {_inline(record.sentence)}", ""]
    advice = record.document.get("recommendation")
    if advice:
        command = f": `{advice['command']}`" if advice["command"] else ""
        lines += [f"**{_inline(advice['action'])}**{command}. {_inline(advice['why'])}", ""]
    for finding in record.document["diagnosis"]:
        lines.append(f"- {_inline(finding['sentence'])}")
        lines += [
            f"  - {_inline(quote['source'])}, line {quote['line']}: {_code(quote['text'])}"
            for quote in finding["quotes"]
        ]
    lines += ["", "| | check | observed | expected |", "|---|---|---|---|"]
    for check in record.checks():
        name = f"`{check['name']}`" + ("" if check["required"] else " (optional)")
        observed, expected = _inline(check["observed"]), _inline(check["expected"])
        lines.append(f"| {_MARKS[check['status']]} | {name} | {observed} | {expected} |")
    lines += ["", *(f"_{_inline(note)}_  " for note in record.document["notes"])]
    lines += ["", f"`{record.app}` · {record.release or 'no release'} · `{record.commit[:12]}`"]
    return _cut("\n".join(lines) + "\n")


def _inline(text: object, most: int = 2000) -> str:
    """``text`` on one line, with everything that Markdown or HTML would obey escaped."""
    told = " ".join(printable(str(text)).split())[:most].replace("&", "&amp;")
    for char in "\\`*_[]|<>~!@":
        told = told.replace(char, f"&#{ord(char)};")
    return told


def _code(text: object) -> str:
    # Markdown is obeyed inside of inline HTML, so this is escaped like any text.
    return f"<code>{_inline(text, 500)}</code>"


def _cut(text: str) -> str:
    data = text.encode()
    if len(data) <= LIMIT:
        return text
    return data[:LIMIT].decode("utf-8", "ignore").rpartition("\n")[0] + "\n\n… cut: see the log\n"
