"""``dockyard extension``: packages of handlers, for those who write and publish them."""

from __future__ import annotations

import typer

from dockyard.cli import extension_new, extension_test

app = typer.Typer(help="Packages of extensions.", no_args_is_help=True)
_WRITE = "Write"

app.command("new", rich_help_panel=_WRITE, epilog=extension_new.EXAMPLES)(extension_new.new)
app.command("test", rich_help_panel=_WRITE, epilog=extension_test.EXAMPLES)(extension_test.test)
