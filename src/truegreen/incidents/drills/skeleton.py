"""``drill new``: a commented drill that runs as it stands, to be changed step by step."""

from __future__ import annotations

from pathlib import Path

from truegreen.config import Config
from truegreen.errors import UsageError
from truegreen.incidents.drills import shelf
from truegreen.incidents.drills.drill_file import NAME
from truegreen.incidents.folder import relative, write_text

_TEXT = """\
# A drill: a fault that a named check must report, beside a control without it that stays green.
# It runs as it stands: truegreen drill run {name}
# docs/drills.md of TrueGreen says what each key takes.

title = "The release failed, and the old code answers 200"  # what happens, in one line
proves = ""                  # what a pass of it shows
incident = ""                # id of the review that it belongs to

# What is shipped: tiny (a service of the standard library), alembic (the same with a database),
# or a folder of this service: "." is all of it.
service = "tiny"

# How it is asked: ship | verify | rollback | rollback-anyway
ask = "ship"

# Who must report the fault, and what it must say: fail | unknown.
check = "release.command"
status = "fail"
# Who may report it too, as a consequence. Any other check that does fails the drill.
also = ["release.report", "release.current", "code.dynos", "code.served"]

# Seconds from the moment the fault is true on the platform until the check has said so.
within = 15
# That moment: fault (the last step below) | made (a release is there) | ended (its command has
# ended) | crash (a dyno has crashed)
since = "ended"

# What the workflow that looks at nothing but push and /health says of it; "" to not care.
workflow = "success"

# The whole sentence that must be said; {{app}}, {{old}}, {{new}}, {{old_commit}}, … are this run's
# own, and … stands for anything.
sentence = "{{app}} still serves {{old}}; {{new}} failed in its release command…"
finding = "release-command-failed"  # a name of the diagnosis; "" to not care
because = ""                        # and its sentence

[then]
# seconds = 60               # how long it took on the day, if somebody wrote it down
told = ""                    # and who noticed

# Steps: ship, push (git push), rewind (one commit back),
#        write (file, text), edit (file, replace, by), append (file, text), remove (file),
#        set (config = {{NAME = "value"}}), inject (kind, and the fault's own values:
#        truegreen platform fault kinds)

[[before]]                   # both runs do this first
do = "ship"

[[control]]                  # then the control does this …
do = "edit"
file = "app.py"
replace = 'GREETING = "hello"'
by = 'GREETING = "hello again"'

[[fault]]                    # … and the other run this
do = "edit"
file = "release.py"
replace = 'FAILURE = ""'
by = 'FAILURE = "it does not work"'
"""


def begin(config: Config, name: str) -> str:
    """Writes the skeleton of the service's drill ``name``; its path below the service's root.

    UsageError when the name is none, or taken.
    """
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name of a drill", hint="2 to 60 of a-z, 0-9 and -")
    path: Path = shelf.drills_folder(config) / f"{name}.toml"
    if name in shelf.names(config):
        where = relative(config, path) if path.exists() else "TrueGreen"
        raise UsageError(f"there is a drill {name} already, in {where}", hint="choose another name")
    write_text(path, _TEXT.format(name=name))
    return relative(config, path)
