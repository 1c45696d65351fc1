"""Why a request was let in or refused: the machine-readable words, a contract for counters, logs,
dashboards and alerts. Only names live here; what they stand for is decided in policy.py.
"""

from __future__ import annotations

# Let in.
ADMITTED = "admitted"  # every check held
EXEMPT = "exempt"  # a check did not hold, and the path is exempt
OFF = "guard_off"  # nothing was checked

# Refused (or, in mode report, let in and counted).
SECRET_MISSING = "secret_missing"  # noqa: S105  # a reason's name, as the next ones
SECRET_MISMATCH = "secret_mismatch"  # noqa: S105
SECRET_DUPLICATED = "secret_duplicated"  # noqa: S105  # the header came more than once
SECRET_UNSET = "secret_unset"  # noqa: S105  # mode report, and no secret to compare with
CONNECTING_IP_MISSING = "connecting_ip_missing"
ADDRESS_MISSING = "address_missing"  # nothing says who reached the platform
ADDRESS_MALFORMED = "address_malformed"
ADDRESS_OUTSIDE = "address_outside"  # not one of the edge's
FORWARDED_SHORT = "forwarded_short"  # fewer entries in X-Forwarded-For than proxies in front of us
FORWARDED_DUPLICATED = "forwarded_duplicated"  # more than one line of it
RANGES_STALE = "ranges_stale"  # the list is older than it may be
WORKER_REFUSED = "worker_refused"  # sent by a Cloudflare Worker of a zone that is not listed
ACCESS_MISSING = "access_missing"
ACCESS_MALFORMED = "access_malformed"
ACCESS_KEY_UNKNOWN = "access_key_unknown"
ACCESS_SIGNATURE = "access_signature"
ACCESS_EXPIRED = "access_expired"
ACCESS_AUDIENCE = "access_audience"
ACCESS_ISSUER = "access_issuer"
ACCESS_KEYS_STALE = "access_keys_stale"  # the team's keys are older than they may be

LET_IN = (ADMITTED, EXEMPT, OFF)
REASONS = (
    *LET_IN,
    SECRET_MISSING,
    SECRET_MISMATCH,
    SECRET_DUPLICATED,
    SECRET_UNSET,
    CONNECTING_IP_MISSING,
    ADDRESS_MISSING,
    ADDRESS_MALFORMED,
    ADDRESS_OUTSIDE,
    FORWARDED_SHORT,
    FORWARDED_DUPLICATED,
    RANGES_STALE,
    WORKER_REFUSED,
    ACCESS_MISSING,
    ACCESS_MALFORMED,
    ACCESS_KEY_UNKNOWN,
    ACCESS_SIGNATURE,
    ACCESS_EXPIRED,
    ACCESS_AUDIENCE,
    ACCESS_ISSUER,
    ACCESS_KEYS_STALE,
)
