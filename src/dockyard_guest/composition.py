"""Joins the handler, the runtime and the machine for one command, and is the process's one edge.

The only module that knows which door serves which port. Imported by `main` when there is something to do. Whatever
happens, the command ends with an exit code, a line in the log and, where it is due, a status; never with a traceback.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_contract.errors import MalformedDocument
from dockyard_contract.status import StatusWord
from dockyard_guest.errors import GuestError, PermanentError
from dockyard_guest.ports import Machine
from dockyard_guest.runtime.call import at_home, read_call
from dockyard_guest.runtime.dispatch import Verb, dispatch, parse_verb
from dockyard_guest.runtime.enable import as_guest_error, report_for
from dockyard_guest.runtime.log import Log
from dockyard_guest.system.accounts import SystemAccounts
from dockyard_guest.system.background import SystemBackground
from dockyard_guest.system.certificates import OpensslCertificates
from dockyard_guest.system.clock import SystemClock
from dockyard_guest.system.commands import SystemCommands
from dockyard_guest.system.downloads import SystemDownloads, SystemUploads
from dockyard_guest.system.envelopes import OpensslEnvelopes
from dockyard_guest.system.files import SystemFiles
from dockyard_guest.system.os_release import SystemIdentity
from dockyard_guest.system.packages.choice import packages_of
from dockyard_guest.system.scripts import SystemScripts
from dockyard_guest.system.services import SystemServices
from dockyard_guest.system.settled import SettledMarker
from dockyard_guest.system.sockets import SystemSockets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType

    from dockyard_guest.ports import Handler
    from dockyard_guest.runtime.call import Call


def run(name: str, verb_name: str, *, environ: Mapping[str, str]) -> int:
    """Run one command of a handler on this machine. Answers the exit code."""
    os.umask(0o077)
    log = Log(files=SystemFiles(), clock=SystemClock())
    machine = real_machine(log=log.write)
    try:
        verb = parse_verb(verb_name)
        known = at_home(environ) if verb is Verb.DIAGNOSE else environ
        call = read_call(handler=name, environ=known, files=machine.files)
        handler = _load(call, machine=machine)
    except (GuestError, MalformedDocument) as error:
        return _foreseen(error, log=log)
    return run_command(verb, call, handler=handler, machine=machine, log=log)


def run_command(verb: Verb, call: Call, *, handler: Handler, machine: Machine, log: Log) -> int:
    """Run one command with everything joined. Answers the exit code."""
    try:
        if verb is Verb.DIAGNOSE:
            return _tell(call, handler=handler, machine=machine)
        log.open(call.log_file, label=f"{call.version} {verb.value} {call.variables.sequence_number}")
        log.write(dispatch(verb, call, handler=handler, machine=machine, log=log.write))
    except (GuestError, MalformedDocument) as error:
        return _foreseen(error, log=log)
    except Exception as error:  # noqa: BLE001 - the one edge of the process: what nobody foresaw ends here
        return _unforeseen(error, verb=verb, call=call, handler=handler, machine=machine, log=log)
    return int(ExitCode.SUCCESS)


def real_machine(*, log: Callable[[str], None]) -> Machine:
    """All doors to the machine this runs on."""
    clock, files, commands = SystemClock(), SystemFiles(), SystemCommands(log=log)
    services = SystemServices(commands=commands)
    system = SystemIdentity(files=files)
    return Machine(
        clock=clock,
        files=files,
        commands=commands,
        services=services,
        packages=packages_of(system.release(), commands=commands, clock=clock, files=files),
        sockets=SystemSockets(),
        certificates=OpensslCertificates(commands=commands, files=files),
        envelopes=OpensslEnvelopes(commands=commands),
        background=SystemBackground(commands=commands, services=services, log=log),
        settled=SettledMarker(files=files),
        system=system,
        downloads=SystemDownloads(),
        uploads=SystemUploads(),
        scripts=SystemScripts(commands=commands, services=services, files=files, log=log),
        accounts=SystemAccounts(),
    )


def _tell(call: Call, *, handler: Handler, machine: Machine) -> int:
    from dockyard_guest.runtime.diagnosis import diagnose  # noqa: PLC0415 - the agent's own commands never need it

    sys.stdout.write(diagnose(call, handler=handler, machine=machine))
    return int(ExitCode.SUCCESS)


def _load(call: Call, *, machine: Machine) -> Handler:
    # By name, so that a package holds the room of its own handler alone. Each room's module `handler` has `create`, and
    # that of a handler with several named configurations `create_named` besides.
    try:
        module = importlib.import_module(f"dockyard_guest.handlers.{call.handler}.handler")
    except ModuleNotFoundError:
        raise PermanentError(f"There is no handler {call.handler!r} in this package.") from None
    configuration = call.variables.extension_name
    if configuration is None or not hasattr(module, "create_named"):
        handler: Handler = module.create(machine, call.version)
    else:
        handler = module.create_named(machine, call.version, configuration)
    return handler


def _foreseen(error: GuestError | MalformedDocument, *, log: Log) -> int:
    known = as_guest_error(error)
    log.complain(known.full_text)
    return int(known.exit_code)


def _unforeseen(error: Exception, *, verb: Verb, call: Call, handler: Handler, machine: Machine, log: Log) -> int:
    # The exception's own text is left out of log and status: it may quote what it failed on, and that may be a secret.
    kind = type(error).__name__
    log.complain(f"A fault in the extension: {kind}. The log has the place.")
    log.write("\n".join(_places(error.__traceback__)))
    if verb.reports_status:
        text = f"A fault in the extension itself: {kind}. See {call.log_file} on the machine."
        report = report_for(call, handler=handler, machine=machine)
        report.write(StatusWord.ERROR, text, code=int(ExitCode.FAILURE))
    return int(ExitCode.FAILURE)


def _places(trace: TracebackType | None) -> Iterator[str]:
    while trace is not None:
        code = trace.tb_frame.f_code
        yield f"{code.co_filename}:{trace.tb_lineno} in {code.co_name}"
        trace = trace.tb_next
