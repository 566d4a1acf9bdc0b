"""The settings of one run command: Azure's own. Pure.

Parameters with a name become variables of the script's environment, those without become its arguments. Arguments can
be seen by everybody on the machine, so protected parameters need a name. ``source`` may stand in the protected part,
for scripts that are secret themselves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError
from dockyard_guest.scripting.fetching import FileWanted, address, check_names, name_in
from dockyard_guest.scripting.members import check_members, optional_text, program_text, refuse, timeout, user

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockyard_contract.documents import JsonObject, JsonValue
    from dockyard_guest.values import PlainSettings

PUBLIC_MEMBERS = frozenset(
    {
        "source",
        "parameters",
        "runAsUser",
        "outputBlobUri",
        "errorBlobUri",
        "timeoutInSeconds",
        "asyncExecution",
        "treatFailureAsDeploymentFailure",
        "artifacts",
        "installAsService",
    }
)
IDENTITIES = ("sourceManagedIdentity", "outputBlobManagedIdentity", "errorBlobManagedIdentity")
PROTECTED_MEMBERS = {
    "source",
    "runAsPassword",
    "sourceSASToken",
    "outputBlobSASToken",
    "errorBlobSASToken",
    "protectedParameters",
    "artifacts",
    *IDENTITIES,
}
SOURCE_MEMBERS = frozenset({"script", "scriptUri"})
SCRIPT_NAME = "script.sh"
_RESERVED = ("stdout", "stderr", SCRIPT_NAME)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class RunCommand:
    """What is to be run.

    Attributes:
        script: The script's text, or ``None`` when it is to be fetched. Hidden from `repr` like all that may be secret.
        script_url: Where it is to be fetched from, or ``None``.
        arguments: Parameters without a name.
        variables: Parameters with one.
        files: What is fetched besides.
        user: Whom it runs as; ``None`` is root.
        timeout: Seconds after which it is killed.
        is_async: Whether nobody waits for its end.
        failure_counts: Whether a script that fails makes the status an error.
        output_url: The blob that gets the output, or ``None``.
        error_url: The same for the errors.
    """

    script: str | None = field(repr=False)
    script_url: str | None = field(repr=False)
    arguments: tuple[str, ...] = field(repr=False)
    variables: Mapping[str, str] = field(repr=False)
    files: tuple[FileWanted, ...]
    user: str | None
    timeout: int
    is_async: bool
    failure_counts: bool
    output_url: str | None = field(repr=False)
    error_url: str | None = field(repr=False)


def parse_run_command(settings: PlainSettings) -> RunCommand:
    """Read the settings.

    Raises:
        MalformedDocument: A member is of the wrong type or cannot be what it stands for, or nobody knows it.
        PermanentError: Members do not go together, or are not supported.
    """
    public, protected = settings.public, settings.protected
    check_members(public, known=PUBLIC_MEMBERS)
    check_members(protected, known=PROTECTED_MEMBERS)
    _refuse_unsupported(public, protected)
    script, script_url = _source(public, protected)
    arguments, variables = _parameters(public, protected)
    files = tuple(_artifacts(public, protected))
    check_names(files, reserved=_RESERVED)
    return RunCommand(
        script=script,
        script_url=script_url,
        arguments=arguments,
        variables=variables,
        files=files,
        user=user(public),
        timeout=timeout(public),
        is_async=public.optional_boolean("asyncExecution") or False,
        failure_counts=public.optional_boolean("treatFailureAsDeploymentFailure") or False,
        output_url=_blob(public, protected, "output"),
        error_url=_blob(public, protected, "error"),
    )


def _refuse_unsupported(public: JsonObject, protected: JsonObject) -> None:
    resolution = "Give an address that carries its own signature."
    refuse(protected, IDENTITIES, reason="this machine has no managed identity", resolution=resolution)
    protected.optional_string("runAsPassword")  # root needs no password to become somebody else: it is not used
    if public.optional_boolean("installAsService"):
        refuse(
            public,
            ("installAsService",),
            reason="a script runs once",
            resolution="Let the script install a unit of systemd.",
        )


def _source(public: JsonObject, protected: JsonObject) -> tuple[str | None, str | None]:
    parts = [part for part in (public.optional_object("source"), protected.optional_object("source")) if part]
    if len(parts) != 1:
        raise _refused("`source` is needed, in the public or in the protected settings.")
    check_members(parts[0], known=SOURCE_MEMBERS)
    script, place = optional_text(parts[0], "script"), parts[0].optional("scriptUri")
    url = None if place is None or place.raw == "" else _signed(address(place), protected, "sourceSASToken")
    if (script is None) == (url is None):
        raise _refused("`source` needs exactly one of `script` and `scriptUri`.")
    return script, url


def _parameters(public: JsonObject, protected: JsonObject) -> tuple[tuple[str, ...], dict[str, str]]:
    arguments: list[str] = []
    variables: dict[str, str] = {}
    for item in public.optional_array("parameters") or ():
        name, value = _parameter(item)
        if name is None:
            arguments.append(value)
        else:
            _add(variables, name, value)
    for item in protected.optional_array("protectedParameters") or ():
        name, value = _parameter(item)
        if name is None:
            raise item.malformed(expected="a name, as everybody can see a script's arguments", found="none")
        _add(variables, name, value)
    return tuple(arguments), variables


def _parameter(item: JsonValue) -> tuple[str | None, str]:
    parameter = item.object()
    check_members(parameter, known=("name", "value"))
    name = optional_text(parameter, "name")
    if name is not None and not _VARIABLE.fullmatch(name):
        raise parameter.value("name").malformed(expected="the name of a variable", found="another text")
    return name, program_text(parameter.value("value"))


def _add(variables: dict[str, str], name: str, value: str) -> None:
    if name in variables:
        raise _refused(f"There are two parameters named {name!r}.")
    variables[name] = value


def _artifacts(public: JsonObject, protected: JsonObject) -> Iterator[FileWanted]:
    tokens = {_id(item.object()): item.object() for item in protected.optional_array("artifacts") or ()}
    for item in public.optional_array("artifacts") or ():
        artifact = item.object()
        check_members(artifact, known=("id", "uri", "fileName"))
        url = address(artifact.value("uri"))
        own = tokens.pop(_id(artifact), None)
        name = optional_text(artifact, "fileName") or name_in(url)
        yield FileWanted(url if own is None else _signed(url, own, "sasToken"), name)
    for stray in tokens:
        raise _refused(f"The protected settings have an artifact with the id {stray}, and the public ones have not.")


def _id(artifact: JsonObject) -> int:
    return artifact.integer("id")


def _blob(public: JsonObject, protected: JsonObject, kind: str) -> str | None:
    place = public.optional(f"{kind}BlobUri")
    if place is None or place.raw == "":
        return None
    return _signed(address(place), protected, f"{kind}BlobSASToken")


def _signed(url: str, settings: JsonObject, name: str) -> str:
    token = (optional_text(settings, name) or "").lstrip("?")
    return f"{url}{'&' if '?' in url else '?'}{token}" if token else url


def _refused(text: str) -> PermanentError:
    return PermanentError(text, exit_code=ExitCode.BAD_CONFIGURATION)
