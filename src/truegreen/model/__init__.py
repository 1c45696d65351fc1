"""Evidence, checks, verdict, failure sentence, diagnosis: pure, frozen values. No I/O here."""

from truegreen.model.checks import BY_NAME, CHECKS, Check, required_checks
from truegreen.model.diagnosis import Finding, diagnose
from truegreen.model.evidence import Evidence, Status, digest_of, stamp
from truegreen.model.sentence import sentence, short
from truegreen.model.situation import ReleaseState, Schema, Situation, SmokeFailures
from truegreen.model.verdict import Judgement, Verdict, judge

__all__ = [
    "BY_NAME",
    "CHECKS",
    "Check",
    "Evidence",
    "Finding",
    "Judgement",
    "ReleaseState",
    "Schema",
    "Situation",
    "SmokeFailures",
    "Status",
    "Verdict",
    "diagnose",
    "digest_of",
    "judge",
    "required_checks",
    "sentence",
    "short",
    "stamp",
]
