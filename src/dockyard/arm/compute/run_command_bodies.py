"""Run commands between ARM and their handler: bodies as values, values as ARM documents. Pure.

Signatures in addresses, passwords and protected parameters go into the protected settings, and never come back.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from dockyard.arm.bodies import read_tags
from dockyard.arm.context import LOCATION
from dockyard.fabric.requests import RunCommandRequest
from dockyard.fabric.run_views import RunView, run_view
from dockyard.model.errors import InvalidRequest
from dockyard.model.extension import Extension
from dockyard.model.resource_id import RUN_COMMANDS, ResourceId
from dockyard_contract.documents import JsonObject

_PLAIN = ("parameters", "asyncExecution", "runAsUser", "timeoutInSeconds", "treatFailureAsDeploymentFailure")
_PROTECTED = ("protectedParameters", "runAsPassword")
_SIGNED = (("outputBlobUri", "outputBlobSASToken"), ("errorBlobUri", "errorBlobSASToken"))
_IDENTITIES = ("outputBlobManagedIdentity", "errorBlobManagedIdentity")
_COMMANDS = ("runshellscript",)
_ARGUMENT = re.compile(r"arg\d+", re.IGNORECASE)
_MAX_TIMEOUT = 30 * 86400


def run_command_request(body: JsonObject, *, id: ResourceId, existing: Extension | None = None) -> RunCommandRequest:
    """Read the body of a run command's PUT, or of a PATCH of an existing one.

    Raises:
        MalformedDocument: a member is missing or of the wrong type.
        InvalidRequest: members do not go together, or are not supported.
    """
    properties = body.object("properties")
    _check(properties)
    settings = dict(existing.settings) if existing else {}
    protected: dict[str, Any] = {name: value.raw for name in _PROTECTED if (value := properties.optional(name))}
    settings |= {name: value.raw for name in _PLAIN if (value := properties.optional(name))}
    for place, token in _SIGNED:
        if url := properties.optional_string(place):
            settings[place] = _apart(url, protected, token)
    if source := properties.optional_object("source"):
        settings["source"] = _source(source, protected)
    if "source" not in settings:
        raise properties.value("source").malformed(expected="an object")
    keeps = existing is not None and not protected
    return RunCommandRequest(
        id=id,
        location=body.optional_string("location") or (existing.location if existing else LOCATION),
        settings=settings,
        protected_settings=protected or None,
        keeps_protected=keeps,
        tags=existing.tags if existing and "tags" not in body.names() else read_tags(body),
    )


def action_request(body: JsonObject, *, id: ResourceId) -> RunCommandRequest:
    """Read the body of a machine's action ``runCommand``; parameters called arg1, arg2 … are the script's arguments.

    Raises:
        MalformedDocument: a member is missing or of the wrong type.
        InvalidRequest: a command nobody knows.
    """
    name = body.string("commandId")
    if name.lower() not in _COMMANDS:
        raise InvalidRequest(
            f"The entity was not found: there is no run command '{name[:80]}'", resolution="Use RunShellScript."
        )
    script = "\n".join(line.string() for line in body.optional_array("script") or ())
    if not script.strip():
        raise InvalidRequest("There is no script to run", resolution="Give its lines in the member script.")
    settings = {"parameters": [], "timeoutInSeconds": body.optional_integer("timeoutInSeconds") or 5400}
    variables = []
    arguments = []
    for item in body.optional_array("parameters") or ():
        parameter = item.object()
        key, value = parameter.optional_string("name") or "", parameter.optional_string("value") or ""
        if not key or _ARGUMENT.fullmatch(key):
            arguments.append({"value": value})
        else:
            variables.append({"name": key, "value": value})
    settings["parameters"] = arguments
    protected = {"source": {"script": script}, "protectedParameters": variables}
    return RunCommandRequest(id=id, location=LOCATION, settings=settings, protected_settings=protected)


def run_command(command: Extension, *, with_view: bool = False) -> dict[str, Any]:
    """Return a run command; what is protected never comes back."""
    properties = {**command.settings, "provisioningState": command.provisioning_state.value}
    if with_view:
        properties["instanceView"] = _view(run_view(command))
    return {
        "id": str(command.id),
        "name": command.id.name,
        "type": RUN_COMMANDS,
        "location": command.location,
        "tags": dict(command.tags),
        "properties": properties,
    }


def _view(view: RunView) -> dict[str, Any]:
    return {
        "executionState": view.state,
        "executionMessage": view.message,
        "exitCode": view.exit_code,
        "output": view.output,
        "outputOffset": view.output_offset,
        "error": view.error,
        "errorOffset": view.error_offset,
        "startTime": view.begun,
        "endTime": view.ended,
        "statuses": [],
    }


def _check(properties: JsonObject) -> None:
    """Judge what only the handler would refuse later, in the machine."""
    for name in _IDENTITIES:
        if properties.optional(name) is not None:
            raise InvalidRequest(
                f"{name} is not supported: machines have no managed identity here",
                resolution="Give an address that carries its own signature.",
            )
    timeout = properties.optional_integer("timeoutInSeconds")
    if timeout is not None and not 1 <= timeout <= _MAX_TIMEOUT:
        raise InvalidRequest(f"timeoutInSeconds is {timeout}", resolution=f"Give 1 to {_MAX_TIMEOUT}.")
    for name in ("asyncExecution", "treatFailureAsDeploymentFailure"):
        properties.optional_boolean(name)
    for name in ("parameters", "protectedParameters"):
        for item in properties.optional_array(name) or ():
            item.object().string("value")


def _source(source: JsonObject, protected: dict[str, Any]) -> dict[str, str]:
    script, url = source.optional_string("script"), source.optional_string("scriptUri")
    if bool(script) == bool(url):
        raise InvalidRequest(
            "A run command's source is exactly one of script and scriptUri",
            details="commandId names no script here; managed identities are not supported.",
        )
    return {"script": script} if script else {"scriptUri": _apart(url or "", protected, "sourceSASToken")}


def _apart(url: str, protected: dict[str, Any], token: str) -> str:
    """Take the signature, which is the query, out of an address and into the protected settings."""
    query = urlsplit(url).query
    if not query:
        return url
    protected[token] = query
    return url.partition("?")[0]
