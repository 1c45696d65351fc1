"""How every verb ends: errors become one sentence on standard error and the contract's code."""

from __future__ import annotations

import sys

import click

from truegreen.errors import TrueGreenError, printable


def _shown(text: str) -> str:
    """``text`` without what a terminal would obey, but for its lines: it may quote anybody."""
    return "\n".join(map(printable, text.split("\n")))


def run(command: click.Command, args: list[str] | None = None) -> None:
    """Runs ``command`` and exits: 0–5 as errors.py says; 130 for Ctrl-C with nothing changed."""
    try:
        code = command.main(args=args, prog_name="truegreen", standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except TrueGreenError as error:
        click.echo(f"truegreen: {_shown(error.message)}", err=True)
        if error.hint:
            click.echo(f"           {_shown(error.hint)}", err=True)
        sys.exit(error.exit_code)
    except ModuleNotFoundError as error:
        if not error.name or error.name.split(".")[0] == "truegreen":
            raise
        click.echo(f"truegreen: this needs {error.name}, which is not installed", err=True)
        click.echo("           pip install 'truegreen[ops]'", err=True)
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("truegreen: interrupted; nothing was changed", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
    sys.exit(code if isinstance(code, int) else 0)
