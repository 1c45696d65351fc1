"""Incidents: what a record of the ledger says about one, and the review drafted from it.

A draft says only what evidence says; what a person must find out is marked as not known.
"""

from truegreen.incidents.document import RunRecord
from truegreen.incidents.draft import draft

__all__ = ["RunRecord", "draft"]
