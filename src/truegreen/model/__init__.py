"""Evidence, checks, verdict, failure sentence, diagnosis: pure, frozen values. No I/O here."""

from truegreen.model.checks import BY_NAME, CHECKS, Check, required_checks
from truegreen.model.clusters import Cluster, clusters
from truegreen.model.diagnosis import Finding, Quote, diagnose
from truegreen.model.evidence import Evidence, Status, digest_of, stamp
from truegreen.model.sentence import sentence, short
from truegreen.model.situation import ReleaseState, Schema, Situation, SmokeFailures, Text
from truegreen.model.verdict import Judgement, Verdict, judge

__all__ = [
    "BY_NAME",
    "CHECKS",
    "Check",
    "Cluster",
    "Evidence",
    "Finding",
    "Judgement",
    "Quote",
    "ReleaseState",
    "Schema",
    "Situation",
    "SmokeFailures",
    "Status",
    "Text",
    "Verdict",
    "clusters",
    "diagnose",
    "digest_of",
    "judge",
    "required_checks",
    "sentence",
    "short",
    "stamp",
]
