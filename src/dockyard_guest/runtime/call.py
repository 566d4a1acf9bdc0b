"""One call of a handler command: everything the agent hands over, read once into a frozen value.

Made by `main` at the start of a command; nothing else in the guest reads the environment.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard_contract.environment import (
    PATH_VARIABLE,
    VERSION_VARIABLE,
    AgentVariables,
    ExitCode,
    HandlerEnvironment,
    parse_handler_environment,
)
from dockyard_guest.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockyard_guest.ports import Files

_ENVIRONMENT_FILE = "HandlerEnvironment.json"


@dataclass(frozen=True)
class Call:
    """What the agent handed over.

    Attributes:
        handler: Short name of the handler, also the name of its room.
        variables: The agent's environment variables.
        environment: The handler's folders.
    """

    handler: str
    variables: AgentVariables
    environment: HandlerEnvironment

    @property
    def folder(self) -> str:
        """The handler's own folder."""
        return self.variables.folder

    @property
    def version(self) -> str:
        """Version of the handler that runs."""
        return self.variables.version

    @property
    def sequence_number(self) -> int:
        """The sequence number asked for.

        Raises:
            PermanentError: The agent gave none. The highest settings file would be a guess, and a wrong one when the
                number goes down.
        """
        number = self.variables.sequence_number
        if number is None:
            raise PermanentError("The agent gave no sequence number.", exit_code=ExitCode.BAD_CONFIGURATION)
        return number

    @property
    def settings_file(self) -> str:
        """Path of the settings asked for."""
        return self.environment.settings_file(self.sequence_number, extension_name=self.variables.extension_name)

    @property
    def status_file(self) -> str:
        """Path of the status to report."""
        return self.environment.status_file(self.sequence_number, extension_name=self.variables.extension_name)

    @property
    def log_file(self) -> str:
        """Path of the handler's log; the folder has no version in its name, so versions share it."""
        return f"{self.environment.log_folder}/{self.program}.log"

    @property
    def program(self) -> str:
        """Name of the program that the manifest's commands start."""
        return f"{self.handler.replace('_', '-')}-extension"

    @property
    def executable(self) -> str:
        """Path of the program that the manifest's commands start."""
        return f"{self.folder}/bin/{self.program}"


def at_home(environ: Mapping[str, str]) -> Mapping[str, str]:
    """The agent's variables for a command that a person starts, who gives none: told by the handler's own folder.

    The folder is the one that holds this code's ``lib``, and its name ends in the version.
    """
    if environ.get(PATH_VARIABLE):
        return environ
    folder = os.path.realpath(__file__).rpartition("/lib/")[0]
    return {**environ, PATH_VARIABLE: folder, VERSION_VARIABLE: folder.rpartition("-")[2]}


def read_call(*, handler: str, environ: Mapping[str, str], files: Files) -> Call:
    """Read the environment variables and ``HandlerEnvironment.json``.

    Raises:
        MalformedDocument: One of them is not what the agent writes.
        PermanentError: The file is missing.
    """
    variables = AgentVariables.from_environ(environ)
    path = f"{variables.folder}/{_ENVIRONMENT_FILE}"
    text = files.read(path)
    if text is None:
        raise PermanentError(f"{path} is missing.", exit_code=ExitCode.BAD_CONFIGURATION)
    environment = parse_handler_environment(text, document=_ENVIRONMENT_FILE)
    return Call(handler=handler, variables=variables, environment=environment)
