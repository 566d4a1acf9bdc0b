"""The VMAccess extension: what each command does.

A deed for each sequence number: one that was interrupted is begun again, as every part of it finds out first what is
done already. Users, keys and the configuration of sshd stay when the extension goes. Joined with the machine by
`composition`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard_guest.errors import PermanentError
from dockyard_guest.values import Applied, Repeats, Section

from . import disks, places, users
from .settings import parse_vmaccess
from .sshd import Sshd

if TYPE_CHECKING:
    from dockyard_guest.ports import Machine, Progress
    from dockyard_guest.values import Account, PlainSettings

    from .settings import UserAccess, VmAccess


def create(machine: Machine, version: str) -> VmAccessHandler:
    """The handler of this room, for `composition`; all versions do the same."""
    del version
    return VmAccessHandler(machine=machine)


class VmAccessHandler:
    """The VMAccess extension on one machine; see `ports.Handler`."""

    title = "VMAccess"
    repeats = Repeats.IF_INTERRUPTED

    def __init__(self, *, machine: Machine) -> None:
        self._machine = machine

    def install(self) -> str:
        """Nothing is needed beforehand."""
        return "Access can be given."

    def check(self, settings: PlainSettings) -> None:
        """Judge the settings."""
        parse_vmaccess(settings)

    def apply(self, settings: PlainSettings, *, progress: Progress) -> Applied:
        """Do what is asked for; see `ports.Handler`."""
        with progress.step("settings", "reading the settings") as step:
            wanted = parse_vmaccess(settings)
            step.say("understood")
        told, server = [], Sshd(self._machine)
        if wanted.reset_ssh or wanted.restore_ssh:
            told.append(self._server(wanted, server, progress=progress))
        if wanted.remove_user is not None:
            with progress.step("user", f"removing {wanted.remove_user}") as step:
                told.append(users.remove_user(self._machine, wanted.remove_user))
                step.say(told[-1])
        if wanted.user is not None:
            told.append(self._user(wanted.user, server, progress=progress))
        if wanted.check_disk or wanted.repair_disk:
            told.append(self._disks(wanted, progress=progress))
        return Applied(message=" ".join(told))

    def disable(self) -> str:
        """What was given stays."""
        return "Users, keys and the SSH server stay as they are."

    def update(self, *, target_version: str) -> str:
        """Nothing is handed over."""
        return f"Version {target_version} is in charge."

    def uninstall(self) -> str:
        """What was given stays, and so does the configuration that was kept."""
        return "Users, keys and the SSH server stay as they are."

    def diagnose(self) -> tuple[Section, ...]:
        """What sshd reads, and what was set aside; no key and no hash."""
        files = self._machine.files
        lines = [f"{places.SSHD_CONFIG}: {'there' if files.mode(places.SSHD_CONFIG) is not None else 'missing'}"]
        lines += [f"{places.DROP_INS}/{name}" for name in files.names(places.DROP_INS)]
        lines.append(f"backup: {'there' if files.mode(places.BACKUP) is not None else 'none'}")
        return (Section("SSH server", "\n".join(lines)),)

    def _server(self, wanted: VmAccess, server: Sshd, *, progress: Progress) -> str:
        with progress.step("ssh", "looking at the SSH server") as step:
            if wanted.reset_ssh:
                server.reset()
            else:
                server.restore()
            step.say("; ".join(server.done) or "nothing was wrong with it")
        return f"The SSH server {'has been reset' if server.done else 'was as it should be'}."

    def _user(self, wanted: UserAccess, server: Sshd, *, progress: Progress) -> str:
        machine, done = self._machine, []
        with progress.step("user", f"looking for {wanted.name}") as step:
            account, is_new = users.ensure_user(machine, wanted)
            done += ["made"] if is_new else []
            if wanted.expiration is not None:
                users.set_expiration(machine, wanted.name, wanted.expiration)
                done.append(f"expires {wanted.expiration}")
            sudo = users.set_sudo(machine, wanted, is_new=is_new)
            done += [sudo] if sudo else []
            step.say(", ".join(done) or "is there")
            if users.has_expired(machine, wanted.name):
                done.append("the account has expired, and nobody can log in by it; give another `expiration`")
                step.warn(", ".join(done))
        if wanted.keys or wanted.password is not None:
            done += self._secrets(wanted, account, progress=progress)
            self._let_in(wanted, server, progress=progress)
            done += ["the SSH server has been changed for it"] if server.done else []
        return f"{wanted.name}: {', '.join(done)}."

    def _secrets(self, wanted: UserAccess, account: Account, *, progress: Progress) -> list[str]:
        done = []
        if wanted.password is not None:
            with progress.step("password", "setting the password") as step:
                users.set_password(self._machine, wanted.name, wanted.password)
                done.append("password set")
                step.say("it is set")
        if wanted.keys:
            with progress.step("keys", "writing the keys") as step:
                is_news = users.set_keys(self._machine, account, wanted.keys, replaces=wanted.replaces)
                count = f"{len(wanted.keys)} key{'' if len(wanted.keys) == 1 else 's'}"
                done.append(f"{count} {'set' if is_news else 'there already'}")
                step.say(done[-1])
        return done

    def _let_in(self, wanted: UserAccess, server: Sshd, *, progress: Progress) -> None:
        """Have the SSH server let the user in, or say what keeps it from that."""
        with progress.step("ssh", "looking at the SSH server") as step:
            if not server.is_installed:
                step.warn("there is none on this machine")
                return
            server.mend()
            if wanted.password is not None:
                server.let_in_by_password(wanted.name)
            locks = server.locks_of(wanted.name, key=bool(wanted.keys), password=wanted.password is not None)
            if locks:
                raise PermanentError(
                    f"{wanted.name} is set up, but the SSH server does not let this user in: {'; '.join(locks)}.",
                    resolution="`reset_ssh`, or `dockyard vm user reset-ssh`, gives it a configuration that does.",
                )
            step.say("; ".join(server.done) or f"it lets {wanted.name} in")

    def _disks(self, wanted: VmAccess, *, progress: Progress) -> str:
        with progress.step("disks", "looking at the disks") as step:
            if wanted.repair_disk is not None:
                told = disks.repair_disk(self._machine, wanted.repair_disk, step=step)
            else:
                told = disks.check_disks(self._machine, step=step)
            step.say(told)
        return f"{told[:1].upper()}{told[1:]}."
