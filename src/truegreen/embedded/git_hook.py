"""The ``pre-receive`` hook of an app's repository: archives what is pushed, has the platform build
it, prints what the platform says, and refuses the push when the build fails.

git runs this file as a script, in the push's quarantine, where only it can see the new objects; it
uses the standard library only and decides nothing but "is this a branch that is built". What the
build says is `git_push.py`'s.
"""

from __future__ import annotations

import http.client
import os
import subprocess
import sys

API = "TRUEGREEN_PUSH_API"  # host:port
KEY = "TRUEGREEN_PUSH_KEY"  # the unguessable name of this push
SOURCE = "TRUEGREEN_PUSH_SOURCE"  # the file that the archive goes to
LIMIT = "TRUEGREEN_PUSH_LIMIT"  # bytes of it at most
PATH = "/git-pushes/"
BRANCHES = ("refs/heads/main", "refs/heads/master")
VERDICT = b"\0"  # begins the last line: "\0accept" or "\0reject"


def main() -> int:
    updates = [line.split() for line in sys.stdin.read().splitlines()]
    built = [update for update in updates if update[2] in BRANCHES]
    for _, _, ref in updates:
        if ref not in BRANCHES:
            say(f"Pushed {ref}, which is neither main nor master: nothing is built.")
    if not built:
        return 0
    if len(built) > 1:
        return refuse("main and master in one push: push the one that is to be built.")
    old, new, ref = built[0]
    if set(new) == {"0"}:
        return refuse(f"{ref} is what the app was built from: it cannot be deleted.")
    if ("" if set(old) == {"0"} else old) != current(ref):
        return refuse(f"{ref} has moved meanwhile (another push): fetch, then push again.")
    problem = incomplete(new) or archive(new)
    return refuse(problem) if problem else build(commit_of(new))


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def refuse(problem: str) -> int:
    say(f" !     Push rejected: {problem}")
    return 1


def git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def current(ref: str) -> str:
    return git("rev-parse", "--verify", "--quiet", ref)


def commit_of(new: str) -> str:
    """The commit; what is pushed to a branch is one already."""
    return git("rev-parse", "--verify", "--quiet", f"{new}^{{commit}}") or new


def incomplete(new: str) -> str:
    """Why the tree of ``new`` is not the whole source; empty when it is. Heroku fetches submodules
    (devcenter: "Git Submodules"), we do not, and would build something else; Git LFS neither does.
    """
    if git("grep", "-l", "filter=lfs", new, "--", ".gitattributes", "*/.gitattributes"):
        say(" !     Files in Git LFS arrive as their pointers, as on Heroku: nothing is fetched.")
    entries = [line.partition("\t") for line in git("ls-tree", "-r", new).splitlines()]
    links = [path for what, _, path in entries if what.startswith("160000 ")]
    if not links:
        return ""
    return f"{links[0]} is a submodule: Heroku would fetch it, this platform does not. Vendor it."


def archive(new: str) -> str:
    """Writes the tree of ``new`` to the source file; returns what went wrong, or nothing."""
    limit, size = int(os.environ[LIMIT]), 0
    with (
        subprocess.Popen(["git", "archive", "--format=tar", new], stdout=subprocess.PIPE) as made,
        open(os.environ[SOURCE], "wb") as file,  # noqa: PTH123 - pathlib takes 10 ms to import
    ):
        assert made.stdout is not None
        while piece := made.stdout.read(1 << 20):
            size += len(piece)
            if size > limit:
                made.kill()
                return f"the source is larger than {limit} bytes."
            file.write(piece)
    return "" if made.returncode == 0 else "git cannot archive what was pushed."


def build(commit: str) -> int:
    """Asks for the build and prints, line by line, what comes; no verdict is a refusal."""
    verdict = b""
    try:
        connection = http.client.HTTPConnection(os.environ[API])
        connection.request("POST", f"{PATH}{os.environ[KEY]}?commit={commit}", body=b"")
        answer = connection.getresponse()
        if answer.status != 200:
            return refuse(f"the platform says {answer.status}: {answer.read(500)!r}")
        rest = b""
        while piece := answer.read1(65536):
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                if line.startswith(VERDICT):
                    verdict = line[1:]
                else:
                    sys.stdout.buffer.write(line + b"\n")
            sys.stdout.buffer.flush()
    except (OSError, http.client.HTTPException) as error:
        return refuse(f"the platform broke off: {error}. Its releases say how it ended.")
    if verdict not in (b"accept", b"reject"):
        return refuse("the platform broke off. Its releases say how it ended.")
    return 0 if verdict == b"accept" else 1


if __name__ == "__main__":
    sys.exit(main())
