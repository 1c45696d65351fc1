"""``truegreen mcp``: parses, starts the server on standard input and output."""

from __future__ import annotations

from pathlib import Path

import click

from truegreen.cli.options import folder_argument, platform_option
from truegreen.errors import UsageError


@click.command()
@folder_argument
@platform_option
@click.option(
    "--allow-changes",
    is_flag=True,
    help="Let it rehearse, run drills, write drafts, and record what it verified.",
)
def command(folder: Path, platform: str | None, allow_changes: bool) -> int:
    """Serve the Model Context Protocol about the service in DIR, to an agent on call.

    Read-only unless told otherwise. Needs truegreen[mcp].

    \b
    Example:  truegreen mcp examples/raptor
    """
    try:
        from truegreen.mcp.server import make_server
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] in ("mcp", "mcp_types", "pydantic"):
            raise UsageError(
                "the MCP server's package is not installed", hint="pip install 'truegreen[mcp]'"
            ) from error
        raise
    from truegreen.config import load_config
    from truegreen.mcp.service import Service
    from truegreen.ship.target import withhold_secrets

    root = folder.resolve()
    withhold_secrets(load_config(root))
    make_server(Service(root, platform, allow_changes)).run("stdio")
    return 0
