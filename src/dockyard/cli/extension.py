"""``dockyard extension``: packages of handlers, for those who write and publish them."""

from __future__ import annotations

import typer

from dockyard.cli import extension_gallery, extension_new, extension_test

app = typer.Typer(help="Packages of extensions.", no_args_is_help=True)
_WRITE = "Write"
_GALLERY = "Gallery"

app.command("new", rich_help_panel=_WRITE, epilog=extension_new.EXAMPLES)(extension_new.new)
app.command("test", rich_help_panel=_WRITE, epilog=extension_test.EXAMPLES)(extension_test.test)
app.command("publish", rich_help_panel=_GALLERY, epilog=extension_gallery.PUBLISH)(extension_gallery.publish)
app.command("list", rich_help_panel=_GALLERY, epilog=extension_gallery.LIST)(extension_gallery.list_)
app.command("show", rich_help_panel=_GALLERY, epilog=extension_gallery.SHOW)(extension_gallery.show)
app.command("unpublish", rich_help_panel=_GALLERY, epilog=extension_gallery.UNPUBLISH)(extension_gallery.unpublish)
