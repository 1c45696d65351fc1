"""JUnit XML: a test case a check, so that whatever reads test reports shows what is true.

What is not known must not look like success, and ``skipped`` does in most readers: a required
check without an answer is an ``error``. The dialect is what Ant, Jenkins and GitLab read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

from truegreen.outputs.run_record import RunRecord

# What XML 1.0 cannot carry: https://www.w3.org/TR/xml/#charsets
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(record: RunRecord) -> str:
    """The document as one test suite."""
    suites = ET.Element("testsuites", name="truegreen")
    suite = ET.SubElement(suites, "testsuite", name=_text(record.title), timestamp=record.at[:19])
    counts = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    properties = ET.SubElement(suite, "properties")
    for name, value in (
        ("verdict", record.verdict),
        ("commit", record.commit),
        ("environment", record.environment),
    ):
        ET.SubElement(properties, "property", name=name, value=_text(value))
    for check in record.checks():
        counts["tests"] += 1
        what = _case(suite, record, check)
        if what:
            counts[what] += 1
    ET.SubElement(suite, "system-out").text = _text(record.sentence)
    seconds = f"{float(record.document['timings'].get('total', 0.0)):.3f}"
    for element in (suites, suite):
        element.attrib |= {name: str(count) for name, count in counts.items()}
        element.set("time", seconds)
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=False) + "\n"


def _case(suite: ET.Element, record: RunRecord, check: Mapping[str, Any]) -> str:
    case = ET.SubElement(
        suite, "testcase", classname=f"truegreen.{_text(record.app)}", name=check["name"]
    )
    told = _text(f"observed: {check['observed']}\nexpected: {check['expected']}")
    short = _text(str(check["observed"]))
    if check["status"] == "pass":
        return ""
    if not check["required"]:
        ET.SubElement(case, "skipped", message=f"optional: {short}")
        return "skipped"
    tag, what = ("failure", "failures") if check["status"] == "fail" else ("error", "errors")
    ET.SubElement(case, tag, type=check["status"], message=short).text = told
    return what


def _text(text: str) -> str:
    return _UNWRITABLE.sub("\ufffd", text)
