"""The Docker extension: what each command does, step by step.

Every command finds out how the machine is, decides, and changes what differs, so each may be repeated. Joined with the
machine by `composition`; the steps' own work is in the modules beside this one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dockyard_guest.errors import GuestError, SupersededError
from dockyard_guest.values import Applied, Repeats

from . import certificates, data_disk, hardening, platform_guard
from .change import commit, put_in_place, roll_back, run_engine
from .compose import bring_down, bring_up
from .diagnosis import sections
from .engine import bring_engine, check_machine
from .facts import observe
from .flags import flags_of
from .judgement import validate
from .logins import forget_logins, log_in
from .places import CERTIFICATE_FILES, DAEMON_CONFIG, DAEMON_FILES, DROP_IN, PID_FILE
from .plan import decide
from .proofs import confinement, prove_answer, prove_refusal
from .proxy import apt_goes_by
from .record import read_record, write_record
from .settings import parse_docker_settings
from .taking_back import close_remote_access, take_back
from .users import add_members, members_wanted
from .way_back import bring_back, way_back, with_outcome

if TYPE_CHECKING:
    from dockyard_guest.ports import Machine, Progress, Step
    from dockyard_guest.values import PlainSettings, Section

    from .facts import Facts
    from .plan import Plan
    from .proofs import Version
    from .settings import Bundle, DockerSettings


def create(machine: Machine, version: str) -> DockerHandler:
    """The handler of this room, for `composition`."""
    return DockerHandler(machine=machine, version=version)


class DockerHandler:
    """The Docker extension on one machine; see `ports.Handler`."""

    title = "Docker"
    repeats = Repeats.WHENEVER_ASKED

    def __init__(self, *, machine: Machine, version: str) -> None:
        self._machine = machine
        self._version = version

    def install(self) -> str:
        """Find out whether this machine can have the engine; the long work is enable's."""
        return check_machine(self._machine)

    def check(self, settings: PlainSettings) -> None:
        """Judge the settings."""
        parse_docker_settings(settings)

    def apply(self, settings: PlainSettings, *, progress: Progress) -> Applied:
        """Install, secure and prove the engine; see `ports.Handler`."""
        with progress.step("settings", "reading the settings") as step:
            wanted = parse_docker_settings(settings)
            _describe(wanted, step=step)
        number = settings.sequence_number
        if wanted.daemon.data_disk is not None:
            with progress.step("data disk", "looking for the data disk") as step:
                step.say(data_disk.ensure_mounted(self._machine, wanted=wanted.daemon.data_disk, step=step))
        with way_back(self._machine, number=number, progress=progress):
            with (
                progress.step("engine", "looking for the engine") as step,
                apt_goes_by(wanted.daemon.proxy, machine=self._machine),
            ):
                step.say(bring_engine(self._machine, wanted.engine, number=number, version=self._version, step=step))
            with progress.step("certificates", "checking the certificates") as step:
                until = self._check_certificates(wanted.bundle, step=step)
            facts, plan = self._configure(wanted, progress=progress)
            try:
                version = self._run(wanted, plan=plan, facts=facts, progress=progress)
            except SupersededError:
                raise
            except GuestError as error:
                raise self._rolled_back(error, facts=facts, number=number, progress=progress) from error
        commit(self._machine, plan)
        self._serve(wanted, progress=progress)
        return Applied(
            message=_message(version, port=wanted.port),
            watched=_watched(facts),
            pid_files=(_pid_file(plan),),
            until=until,
        )

    def disable(self) -> str:
        """Close the remote access and leave the containers alone.

        The extension of 2016 stopped the engine. That stops every container for what is often only a step of a version
        change, while all that the extension has opened is the TCP port; with live-restore the daemon restarts without
        it and containers do not notice.
        """
        return close_remote_access(self._machine, version=self._version)

    def update(self, *, target_version: str) -> str:
        """Put another version in charge, so that this or the old one's uninstall takes nothing away."""
        record = read_record(self._machine.files)
        if record is None:
            return "There is nothing to hand over."
        write_record(self._machine.files, replace(record, owner=target_version))
        return f"Version {target_version} is in charge."

    def uninstall(self) -> str:
        """Take back what the extension brought; volumes, images and containers' data stay."""
        return take_back(self._machine, version=self._version)

    def diagnose(self) -> tuple[Section, ...]:
        """What support must know of the engine."""
        return sections(self._machine, version=self._version)

    def _serve(self, wanted: DockerSettings, *, progress: Progress) -> None:
        """What an engine that works is there for. What fails here does not take the engine back."""
        users = members_wanted(self._machine, wanted.users)
        if users:
            with progress.step("users", "looking who may use the engine") as step:
                add_members(self._machine, users, step=step)
        if wanted.logins:
            with progress.step("logins", "logging in to registries") as step:
                log_in(self._machine, wanted.logins, step=step)
        else:
            forget_logins(self._machine)
        if not wanted.compose.text and not wanted.compose.remove:
            return
        with (
            progress.step("compose", "looking for the compose program") as step,
            apt_goes_by(wanted.daemon.proxy, machine=self._machine),
        ):
            bring = bring_up if wanted.compose.text else bring_down
            bring(self._machine, wanted.compose, step=step)

    def _check_certificates(self, bundle: Bundle | None, *, step: Step) -> float | None:
        """Make sure that the certificates can be used. Answers when they need the next look."""
        if bundle is None:
            step.say("none are asked for")
            return None
        facts = self._machine.certificates.inspect(
            authority=bundle.authority, certificate=bundle.certificate, key=bundle.key
        )
        now = self._machine.clock.time()
        certificates.judge(facts, now=now)
        if certificates.expires_soon(facts, now=now):
            step.warn(f"soon to expire: {certificates.sentence(facts)}")
        else:
            step.say(certificates.sentence(facts))
        return certificates.next_look(facts, now=now)

    def _configure(self, wanted: DockerSettings, *, progress: Progress) -> tuple[Facts, Plan]:
        with progress.step("configuration", "comparing what is with what is wanted") as step:
            facts = observe(self._machine, version=self._version, port=wanted.port)
            plan = decide(wanted, facts, version=self._version)
            judged = validate(self._machine, plan) if plan.touches_engine else True
            if not judged:
                plan = plan.with_restart()
            step.checkpoint()
            put_in_place(self._machine, plan=plan, facts=facts)
            step.say(f"{plan}" if judged else f"{plan} (this engine cannot judge a configuration beforehand)")
        return facts, plan

    def _run(self, wanted: DockerSettings, *, plan: Plan, facts: Facts, progress: Progress) -> Version:
        with progress.step("protection", "putting the safe defaults in place") as step:
            step.say(self._protect(wanted, plan=plan, facts=facts))
        with progress.step("service", "starting the engine" if plan.start else "restarting the engine") as step:
            step.say(run_engine(self._machine, plan))
        with progress.step("endpoint", "asking the engine for its version") as step:
            version = prove_answer(self._machine)
            text = f"{version} answers on its unix socket"
            if wanted.port is not None:
                refusal = prove_refusal(self._machine, port=wanted.port)
                text += f"; TCP port {wanted.port} refuses a client without a certificate ({refusal})"
            step.say(text)
        with progress.step("confinement", "asking the engine how it confines containers") as step:
            confined = confinement(self._machine)
            if confined.is_whole:
                step.say(f"{confined}")
            else:
                step.warn(f"{confined}")
        return version

    def _protect(self, wanted: DockerSettings, *, plan: Plan, facts: Facts) -> str:
        off = wanted.daemon.off
        applied = ", ".join(switch.value for switch in plan.defaults.applied) or "none"
        left = ", ".join(switch.value for switch in plan.defaults.left)
        units = [unit.fragment for unit in facts.units.values() if unit.fragment]
        parts = (
            f"the daemon has {applied}{f' (left as this machine has them: {left})' if left else ''}",
            platform_guard.place_rules(self._machine, addresses=platform_guard.guarded(off)),
            hardening.tighten_modes(self._machine, units=units, off=off),
            hardening.place_audit_rules(self._machine, off=off),
        )
        return "; ".join(parts)

    def _rolled_back(self, error: GuestError, *, facts: Facts, number: int, progress: Progress) -> GuestError:
        def files_back() -> str:
            return roll_back(self._machine, record=facts.record)

        undone = bring_back(self._machine, number=number, progress=progress, files_back=files_back)
        return with_outcome(error, outcome=undone or files_back())


def _describe(wanted: DockerSettings, *, step: Step) -> None:
    port = "no TCP port" if wanted.port is None else f"TCP port {wanted.port}"
    certs = "no certificates" if wanted.bundle is None else "certificates"
    text = f"{port}, {certs}, {len(wanted.options)} words of options"
    if wanted.ignored:
        step.warn(f"{text}; not supported by this version and ignored: {', '.join(wanted.ignored)}")
    else:
        step.say(text)


def _message(version: Version, *, port: int | None) -> str:
    if port is None:
        return f"{version} is ready on its unix socket; there is no TCP port."
    return f"{version} is ready on TCP port {port} with mutual TLS."


def _watched(facts: Facts) -> tuple[str, ...]:
    """What must stay as it is for the same settings to need no work: the files, and the unit they add to."""
    return (DAEMON_CONFIG, DROP_IN, *CERTIFICATE_FILES, *DAEMON_FILES, facts.service.fragment)


def _pid_file(plan: Plan) -> str:
    """Where the engine writes the number of its process."""
    named = [flag.value for flag in flags_of(plan.arguments) if flag.name == "pidfile"]
    return named[-1] if named else PID_FILE
