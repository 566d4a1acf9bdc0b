"""The RunCommand extension: what each command does, for one named configuration or for the handler as a whole.

A script runs once for each sequence number of its configuration; a new number ends the run before it. Its output is
kept whole in its folder, where root alone reads it, and the status is renewed while it grows.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dockyard_guest.errors import GuestError, SupersededError
from dockyard_guest.scripting.fetching import FileWanted, fetch_all, unix_text
from dockyard_guest.scripting.places import Places, is_in_charge, take_charge
from dockyard_guest.scripting.running import account_of, environment_of, lasting, program_of, run_to_end
from dockyard_guest.scripting.tail import Output
from dockyard_guest.values import Applied, Repeats, ScriptOrder, Section

from .settings import SCRIPT_NAME, parse_run_command
from .view import State, View, dump_view

if TYPE_CHECKING:
    from dockyard_guest.ports import Machine, Progress, Step
    from dockyard_guest.values import Account, PlainSettings

    from .settings import RunCommand

ROOT = "/var/lib/waagent/run-command-handler"
SHARED = "/var/lib/dockyard-run-command"
_FAILED = 2
_LARGEST_BLOB = 64 * 1024 * 1024


def create(machine: Machine, version: str) -> RunCommandHandler:
    """The handler as a whole, for `composition`: install, update and uninstall."""
    return RunCommandHandler(machine=machine, version=version, name="")


def create_named(machine: Machine, version: str, name: str) -> RunCommandHandler:
    """The handler of one configuration, for `composition`."""
    return RunCommandHandler(machine=machine, version=version, name=name)


def _places(name: str) -> Places:
    return Places(handler="run_command", root=ROOT, shared=SHARED, name=name)


class RunCommandHandler:
    """The RunCommand extension on one machine; see `ports.Handler`."""

    title = "RunCommand"
    repeats = Repeats.NEVER

    def __init__(self, *, machine: Machine, version: str, name: str) -> None:
        self._machine = machine
        self._version = version
        self._places = _places(name)

    def install(self) -> str:
        """Nothing is needed beforehand."""
        take_charge(ROOT, version=self._version, files=self._machine.files)
        return "Scripts can be run."

    def check(self, settings: PlainSettings) -> None:
        """Judge the settings."""
        parse_run_command(settings)

    def apply(self, settings: PlainSettings, *, progress: Progress) -> Applied:
        """Fetch the files and run the script; see `ports.Handler`."""
        machine, number = self._machine, settings.sequence_number
        with progress.step("settings", "reading the settings") as step:
            wanted = parse_run_command(settings)
            account = account_of(machine, wanted.user)
            step.say(f"a script for {account.name if account else 'root'}, at most {lasting(wanted.timeout)}")
        take_charge(ROOT, version=self._version, files=machine.files)
        machine.scripts.end(self._places.record)
        folder = self._places.make(number, account, files=machine.files)
        files = wanted.files
        if wanted.script_url is not None:
            files = (FileWanted(wanted.script_url, SCRIPT_NAME), *files)
        if files:
            with progress.step("files", "fetching the files") as step:
                fetch_all(machine, files, folder=folder, proxy=None, unix_lines=False, step=step)
                step.say(f"{len(files)} fetched: {', '.join(file.name for file in files)}")
        with progress.step("script", "the script runs") as step:
            order = self._order(wanted, number=number, folder=folder, account=account)
            if account is not None:
                machine.files.give(folder, account=account)
            return self._run(wanted, order, progress=progress, step=step)

    def disable(self) -> str:
        """End a script that runs."""
        self._machine.scripts.end(self._places.record)
        if self._places.name:
            self._places.remove(files=self._machine.files)
        return "No script runs."

    def update(self, *, target_version: str) -> str:
        """Put another version in charge, so that the old one's uninstall takes nothing away."""
        take_charge(ROOT, version=target_version, files=self._machine.files)
        return f"Version {target_version} is in charge."

    def uninstall(self) -> str:
        """Take away scripts, files and outputs, unless another version has taken over."""
        files = self._machine.files
        if not is_in_charge(ROOT, version=self._version, files=files):
            return "Another version is in charge: everything stays."
        for name in files.names(f"{ROOT}/download"):
            self._machine.scripts.end(_places(name).record)
        files.remove_tree(ROOT)
        files.remove_tree(SHARED)
        return "Scripts, files and outputs are gone."

    def diagnose(self) -> tuple[Section, ...]:
        """Which configurations have a folder. Scripts and outputs may hold secrets and are left out."""
        names = self._machine.files.names(f"{ROOT}/download")
        return (Section("run commands", f"folders below {ROOT}/download: {', '.join(names) or 'none'}"),)

    def _order(self, wanted: RunCommand, *, number: int, folder: str, account: Account | None) -> ScriptOrder:
        path, kept = f"{folder}/{SCRIPT_NAME}", self._places.kept(number)
        given = self._machine.files.read(path) if wanted.script is None else wanted.script.encode()
        content = unix_text(SCRIPT_NAME, given or b"")
        self._machine.files.write(path, content, mode=0o500)
        shell = self._machine.commands.find("bash") or "/bin/sh"
        return ScriptOrder(
            unit=f"dockyard-run-command-{number}-{os.getpid()}",
            record=self._places.record,
            argv=(*program_of(path, content, interpreter=shell), *wanted.arguments),
            environment=environment_of(account, wanted.variables),
            folder=folder,
            stdout=f"{kept}/stdout",
            stderr=f"{kept}/stderr",
            account=account,
        )

    def _run(self, wanted: RunCommand, order: ScriptOrder, *, progress: Progress, step: Step) -> Applied:
        output = Output(stdout=order.stdout, stderr=order.stderr, files=self._machine.files)
        begun = self._machine.clock.time()
        running = View(State.RUNNING, "Execution in progress", 0, begun)

        def show() -> None:
            progress.report(dump_view(running, output), success=wanted.is_async)

        show()
        try:
            code = run_to_end(self._machine, order, timeout=wanted.timeout, output=output, step=step, show=show)
        except SupersededError as error:
            ended = View(State.CANCELED, str(error), 0, begun, self._machine.clock.time())
            step.warn("it was ended for a newer command")
            return Applied(message=dump_view(ended, output), succeeded=False, code=_FAILED, summary=str(error))
        view = _judged(code, wanted=wanted, begun=begun, ended=self._machine.clock.time())
        complaint = self._sent(wanted, order)
        (step.say if code == 0 and not complaint else step.warn)(f"{view.message}{complaint}")
        told = View(view.state, f"{view.message}{complaint}", view.exit_code, view.begun, view.ended)
        counts = wanted.failure_counts and not wanted.is_async
        failed = code != 0 and counts
        return Applied(
            message=dump_view(told, output),
            succeeded=not failed,
            code=_FAILED if failed else 0,
            summary=told.message,
        )

    def _sent(self, wanted: RunCommand, order: ScriptOrder) -> str:
        """Put both outputs into their blobs. Answers what there is to complain of."""
        complaints = []
        for url, path in ((wanted.output_url, order.stdout), (wanted.error_url, order.stderr)):
            if url is None:
                continue
            try:
                content = self._machine.files.read_part(path, start=0, limit=_LARGEST_BLOB)
                self._machine.uploads.put(url, content)
            except GuestError as error:
                complaints.append(f" {error}")
        return "".join(complaints)


def _judged(code: int | None, *, wanted: RunCommand, begun: float, ended: float) -> View:
    if code is None:
        why = f"The script did not end within {lasting(wanted.timeout)}; it was killed with all it had started."
        return View(State.TIMED_OUT, why, -1, begun, ended)
    if code == 0:
        return View(State.SUCCEEDED, "Execution completed.", 0, begun, ended)
    why = f"Execution failed: command terminated with exit status={code}."
    return View(State.FAILED, why, code, begun, ended)
