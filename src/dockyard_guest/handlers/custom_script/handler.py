"""The CustomScript extension: what each command does.

The script runs once for each sequence number. Its output is kept whole in its folder, where root alone reads it; the
status shows the end of it, in Azure's form. Joined with the machine by `composition`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dockyard_guest.scripting.fetching import fetch_all, unix_text
from dockyard_guest.scripting.places import Places, is_in_charge, take_charge
from dockyard_guest.scripting.running import account_of, environment_of, lasting, program_of, run_to_end
from dockyard_guest.scripting.tail import Output
from dockyard_guest.values import Applied, Repeats, ScriptOrder, Section

from .settings import COMMAND_NAME, SCRIPT_NAME, parse_custom_script

if TYPE_CHECKING:
    from dockyard_guest.ports import Machine, Progress, Step
    from dockyard_guest.values import Account, PlainSettings

    from .settings import CustomScript

ROOT = "/var/lib/waagent/custom-script"
SHARED = "/var/lib/dockyard-custom-script"
PLACES = Places(handler="custom_script", root=ROOT, shared=SHARED)
_SCRIPT_FAILED = 2  # the extension of Azure has this code for it
_TIMED_OUT = 3


def create(machine: Machine, version: str) -> CustomScriptHandler:
    """The handler of this room, for `composition`."""
    return CustomScriptHandler(machine=machine, version=version)


class CustomScriptHandler:
    """The CustomScript extension on one machine; see `ports.Handler`."""

    title = "CustomScript"
    repeats = Repeats.NEVER

    def __init__(self, *, machine: Machine, version: str) -> None:
        self._machine = machine
        self._version = version

    def install(self) -> str:
        """Nothing is needed beforehand."""
        take_charge(ROOT, version=self._version, files=self._machine.files)
        return "Scripts can be run."

    def check(self, settings: PlainSettings) -> None:
        """Judge the settings."""
        parse_custom_script(settings)

    def apply(self, settings: PlainSettings, *, progress: Progress) -> Applied:
        """Fetch the files and run the script; see `ports.Handler`."""
        machine, number = self._machine, settings.sequence_number
        with progress.step("settings", "reading the settings") as step:
            wanted = parse_custom_script(settings)
            account = account_of(machine, wanted.user)
            step.say(_described(wanted, account=account))
        take_charge(ROOT, version=self._version, files=machine.files)
        machine.scripts.end(PLACES.record)
        folder = PLACES.make(number, account, files=machine.files)
        if wanted.files:
            with progress.step("files", "fetching the files") as step:
                fetch_all(
                    machine, wanted.files, folder=folder, proxy=wanted.proxy, unix_lines=wanted.unix_lines, step=step
                )
                step.say(f"{len(wanted.files)} fetched: {', '.join(file.name for file in wanted.files)}")
        with progress.step("script", "the script runs") as step:
            return self._run(wanted, number=number, folder=folder, account=account, progress=progress, step=step)

    def disable(self) -> str:
        """End a script that runs."""
        self._machine.scripts.end(PLACES.record)
        return "No script runs."

    def update(self, *, target_version: str) -> str:
        """Put another version in charge, so that the old one's uninstall takes nothing away."""
        take_charge(ROOT, version=target_version, files=self._machine.files)
        return f"Version {target_version} is in charge."

    def uninstall(self) -> str:
        """Take away scripts, files and outputs, unless another version has taken over."""
        if not is_in_charge(ROOT, version=self._version, files=self._machine.files):
            return "Another version is in charge: everything stays."
        self.disable()
        self._machine.files.remove_tree(ROOT)
        self._machine.files.remove_tree(SHARED)
        return "Scripts, files and outputs are gone."

    def diagnose(self) -> tuple[Section, ...]:
        """Which numbers have a folder. Scripts and outputs may hold secrets and are left out."""
        names = self._machine.files.names(f"{ROOT}/download")
        return (Section("scripts", f"folders below {ROOT}/download: {', '.join(names) or 'none'}"),)

    def _run(
        self,
        wanted: CustomScript,
        *,
        number: int,
        folder: str,
        account: Account | None,
        progress: Progress,
        step: Step,
    ) -> Applied:
        argv = self._placed(wanted, folder=folder)
        if account is not None:
            self._machine.files.give(folder, account=account)
        order = self._order(argv, number=number, folder=folder, account=account)
        output = Output(stdout=order.stdout, stderr=order.stderr, files=self._machine.files)
        begun = self._machine.clock.monotonic()

        def show() -> None:
            progress.report(_told("Execution in progress", output))

        show()
        code = run_to_end(self._machine, order, timeout=wanted.timeout, output=output, step=step, show=show)
        took = lasting(self._machine.clock.monotonic() - begun)
        if code == 0:
            step.say("it ended with exit code 0")
            return Applied(message=_told("Enable succeeded: ", output), summary="The script has ended well.")
        step.warn(f"it was killed after {took}, its time limit" if code is None else f"it ended with exit code {code}")
        return _failed(code, timeout=wanted.timeout, output=output)

    def _placed(self, wanted: CustomScript, *, folder: str) -> tuple[str, ...]:
        """Write what is to be run into the folder: an argument would be seen by everybody on the machine."""
        if wanted.script is not None:
            path = f"{folder}/{SCRIPT_NAME}"
            content = unix_text(SCRIPT_NAME, wanted.script) if wanted.unix_lines else wanted.script
            self._machine.files.write(path, content, mode=0o500)
            return program_of(path, content, interpreter="/bin/sh")
        path = f"{folder}/{COMMAND_NAME}"
        self._machine.files.write(path, (wanted.command or "").encode(), mode=0o500)
        return ("/bin/sh", path)

    def _order(self, argv: tuple[str, ...], *, number: int, folder: str, account: Account | None) -> ScriptOrder:
        kept = PLACES.kept(number)
        return ScriptOrder(
            unit=f"dockyard-custom-script-{number}-{os.getpid()}",
            record=PLACES.record,
            argv=argv,
            environment=environment_of(account),
            folder=folder,
            stdout=f"{kept}/stdout",
            stderr=f"{kept}/stderr",
            account=account,
        )


def _described(wanted: CustomScript, *, account: Account | None) -> str:
    what = "a command" if wanted.script is None else f"a script of {len(wanted.script)} bytes"
    who = "root" if account is None else account.name
    return f"{what} for {who}, {len(wanted.files)} files, at most {lasting(wanted.timeout)}"


def _told(headline: str, output: Output) -> str:
    return f"{headline}\n[stdout]\n{output.stdout.text}\n[stderr]\n{output.stderr.text}"


def _failed(code: int | None, *, timeout: int, output: Output) -> Applied:
    why = f"failed to execute command: command terminated with exit status={code}"
    if code is None:
        why = f"command did not end within {lasting(timeout)}; it was killed with all it had started"
    return Applied(
        message=_told(f"Enable failed: {why}", output),
        succeeded=False,
        code=_TIMED_OUT if code is None else _SCRIPT_FAILED,
        summary=f"Enable failed: {why}",
    )
