"""Service principals over ARM, and the credentials file that lets one in. Called by the CLI."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard import files
from dockyard.client.views import Document
from dockyard.model.errors import Conflict

if TYPE_CHECKING:
    from dockyard.client.connection import Connection


@dataclass(frozen=True, kw_only=True)
class PrincipalView:
    """One principal. ``secret`` is there in the one answer that made it, and nowhere else."""

    name: str
    client_id: str
    object_id: str
    created_at: str
    secret: str = field(default="", repr=False)

    def document(self) -> Document:
        """Return what is printed as JSON: the names az uses."""
        shown = {"name": self.name, "appId": self.client_id, "id": self.object_id, "createdOn": self.created_at}
        return {**shown, "password": self.secret} if self.secret else shown


def create(connection: Connection, *, name: str) -> PrincipalView:
    """Make a principal. Raises Conflict when there is one of this name: its secret cannot be shown again."""
    made = view(connection.ask("PUT", _path(connection, name), body={}))
    if not made.secret:
        raise Conflict(
            f"There is a principal '{made.name}' already",
            resolution=f"'dockyard principal reset {made.name}' gives it a new secret.",
            code="PrincipalExists",
        )
    return made


def reset(connection: Connection, *, name: str) -> PrincipalView:
    """Give a principal a new secret. Raises NotFound, Conflict."""
    return view(connection.ask("POST", f"{_path(connection, name)}/resetSecret"))


def get(connection: Connection, *, name: str) -> PrincipalView:
    """Return one principal. Raises NotFound."""
    return view(connection.ask("GET", _path(connection, name)))


def list_all(connection: Connection) -> list[PrincipalView]:
    """Return all principals, by name."""
    return [view(each) for each in connection.ask("GET", _path(connection))["value"]]


def delete(connection: Connection, *, name: str) -> None:
    """Delete a principal with its roles. Raises Conflict for the user's own client."""
    connection.ask("DELETE", _path(connection, name))


def write_credentials(connection: Connection, made: PrincipalView, *, path: Path) -> None:
    """Write what a client needs to log in as ``made``, in the form of the server's own file; only the user reads it."""
    own = connection.credentials
    document = {
        "endpoint": own.endpoint,
        "tenant_id": own.tenant_id,
        "client_id": made.client_id,
        "client_secret": made.secret,
        "subscription_id": own.subscription_id,
        "audience": own.audience,
        "ca": str(own.ca),
    }
    files.write(path, json.dumps(document, indent=2).encode(), mode=files.SECRET)


def view(document: Document) -> PrincipalView:
    """Decode what ARM answers."""
    properties = document["properties"]
    return PrincipalView(
        name=str(document["name"]),
        client_id=str(properties["appId"]),
        object_id=str(properties["objectId"]),
        created_at=str(properties["createdOn"]),
        secret=str(properties.get("clientSecret", "")),
    )


def _path(connection: Connection, name: str = "") -> str:
    base = f"{connection.subscription}/providers/Dockyard.Identity/principals"
    return f"{base}/{name}" if name else base
