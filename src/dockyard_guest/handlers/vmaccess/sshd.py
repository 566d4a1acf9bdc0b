"""The SSH server: brought back to work, and told whom it lets in by password. Called by `handler`.

Every change is judged by ``sshd -t`` and taken back when it is refused, so that a server that works goes on working.
The server is restarted, or reloaded, only when something has changed. What was in the way is set aside, never deleted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError

from . import places
from .sshd_config import (
    BARE,
    INCLUDE,
    KNOWN_GOOD,
    locks,
    locks_of_user,
    parse_effective,
    password_for,
    reads_drop_ins,
    trial_of,
)

if TYPE_CHECKING:
    from dockyard_guest.ports import Machine
    from dockyard_guest.values import Completed, Unit

_LIMIT = 60.0
_PUBLIC = 0o644
_SECRET = 0o600
_SERVICES = ("ssh.service", "sshd.service")
_SOCKETS = ("ssh.socket", "sshd.socket")
_NO_KEYS = "no hostkeys available"
_FOR_OTHERS = 0o077


class Sshd:
    """The SSH server of one machine; notes what it has done to it."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._files = machine.files
        self.done: list[str] = []
        self._taken_up = 0

    @property
    def is_installed(self) -> bool:
        """Whether there is an SSH server at all."""
        return self._machine.commands.find("sshd") is not None

    def reset(self) -> None:
        """Have a configuration that is known to work, and nothing beside it that keeps people out.

        Raises:
            PermanentError: There is no server, or it refuses even that.
        """
        self._need()
        self._prepare()
        self._set_aside(locks_too=True)
        self._write_known_good()
        self._keep_running()

    def restore(self) -> None:
        """Bring back the configuration that was there before the first change; without one, as `reset`.

        Raises:
            PermanentError: It is refused. What is there stays.
        """
        backup = self._files.read(places.BACKUP)
        if backup is None:
            self.reset()
            return
        self._need()
        self._prepare()
        self._change(places.SSHD_CONFIG, backup, what="The configuration that was kept")
        self._files.remove(places.BACKUP)
        self.done.append("the configuration that was kept is back")
        self._keep_running()

    def mend(self) -> None:
        """Have the server run with its configuration, if that is possible; else with one that is known to work."""
        self._prepare()
        if not self._judged().succeeded:
            self._set_aside(locks_too=False)
            if not self._judged().succeeded:
                self._write_known_good()
        self._keep_running()

    def let_in_by_password(self, user: str) -> None:
        """Let one user, and nobody else, in by password.

        Raises:
            PermanentError: The server refuses the rule; it is taken back.
        """
        effective = self._effective(user)
        if effective is not None and effective.get("passwordauthentication") == ["yes"]:
            return
        config = (self._files.read(places.SSHD_CONFIG) or b"").decode(errors="replace")
        if not reads_drop_ins(config):
            self._back_up()
            self._change(places.SSHD_CONFIG, f"{INCLUDE}{config}".encode(), what="Including drop-ins")
        self._files.make_folder(places.DROP_INS, mode=0o755)
        self._change(places.password_drop_in(user), password_for(user).encode(), what=f"Letting {user} in by password")
        self.done.append(f"{user} may log in by password")
        self._keep_running(reload=True)

    def locks_of(self, user: str, *, key: bool, password: bool) -> tuple[str, ...]:
        """What in the configuration keeps a user out who has got a key or a password."""
        effective = self._effective(user)
        if effective is None:
            return ()
        told = self._machine.commands.run(["id", "-nG", "--", user], timeout=_LIMIT)
        return locks_of_user(effective, user=user, groups=told.output.split(), key=key, password=password)

    def _need(self) -> None:
        if not self.is_installed:
            raise PermanentError(
                "There is no SSH server on this machine.",
                resolution="Install the package openssh-server, by a run command for example.",
                exit_code=ExitCode.MISSING_DEPENDENCY,
            )

    def _prepare(self) -> None:
        """Have what sshd needs even to judge a configuration: its folder, and keys of its own that it takes.

        Raises:
            PermanentError: It refuses everything, so that nothing is to be learned from it.
        """
        self._files.make_folder(places.RUN_SSHD, mode=0o755)
        self._files.make_folder(places.STATE, mode=0o700)
        if not self._host_keys():
            self._make_host_keys()
        if _NO_KEYS in self._judged(BARE).complaint:
            self._close_host_keys()
        if _NO_KEYS in self._judged(BARE).complaint:
            for path in self._host_keys():
                self._files.rename(path, f"{path}{places.SET_ASIDE}")
            self._make_host_keys()
        told = self._judged(BARE)
        if not told.succeeded:
            raise PermanentError("The SSH server refuses even a bare configuration.", details=told.complaint)

    def _close_host_keys(self) -> None:
        """Have root alone read the server's keys: it takes no others."""
        for path in self._host_keys():
            if (self._files.mode(path) or 0) & _FOR_OTHERS:
                self._files.write(path, self._files.read(path) or b"", mode=_SECRET)

    def _host_keys(self) -> tuple[str, ...]:
        names = self._files.names(places.SSH_FOLDER)
        return tuple(
            f"{places.SSH_FOLDER}/{name}" for name in names if name.startswith("ssh_host_") and name.endswith("_key")
        )

    def _make_host_keys(self) -> None:
        self._files.make_folder(places.SSH_FOLDER, mode=0o755)
        done = self._machine.commands.run(["ssh-keygen", "-A"], timeout=_LIMIT)
        if not done.succeeded:
            raise PermanentError("The server's keys could not be made.", details=done.complaint)
        self.done.append("the server has got new keys: clients will ask about them")

    def _set_aside(self, *, locks_too: bool) -> None:
        for name in self._files.names(places.DROP_INS):
            path = f"{places.DROP_INS}/{name}"
            if not name.endswith(".conf") or path.startswith(f"{places.DROP_INS}/00-vmaccess-"):
                continue
            told = self._judged(trial_of(path))
            if told.succeeded and not (locks_too and locks(parse_effective(told.output))):
                continue
            self._files.rename(path, f"{path}{places.SET_ASIDE}")
            self.done.append(f"{path} was in the way and is now {name}{places.SET_ASIDE}")

    def _write_known_good(self) -> None:
        """Write the configuration that is known to work. Raises PermanentError when even that is refused."""
        self._files.make_folder(places.SSH_FOLDER, mode=0o755)
        if self._files.read(places.SSHD_CONFIG) != KNOWN_GOOD.encode():
            self._back_up()
            self._files.write(places.SSHD_CONFIG, KNOWN_GOOD.encode(), mode=_PUBLIC)
            self.done.append(f"{places.SSHD_CONFIG} is one that is known to work; the old one is {places.BACKUP}")
        told = self._judged()
        if not told.succeeded:
            raise PermanentError("The server refuses a configuration that is known to work.", details=told.complaint)

    def _back_up(self) -> None:
        """Keep the configuration that was there before the first change."""
        content = self._files.read(places.SSHD_CONFIG)
        if content is not None and self._files.read(places.BACKUP) is None:
            self._files.make_folder(places.STATE, mode=0o700)
            self._files.write(places.BACKUP, content, mode=_SECRET)

    def _change(self, path: str, content: bytes, *, what: str) -> None:
        """Write a part of the configuration, and take it back when the server refuses the whole."""
        before = self._files.read(path)
        self._files.write(path, content, mode=_PUBLIC)
        told = self._judged()
        if told.succeeded:
            return
        if before is None:
            self._files.remove(path)
        else:
            self._files.write(path, before, mode=_PUBLIC)
        raise PermanentError(f"{what} is refused by the server; it was taken back.", details=told.complaint)

    def _judged(self, config: str | None = None) -> Completed:
        """What sshd says of its configuration, or of one that is tried; its output is what would come of it."""
        program = self._machine.commands.find("sshd") or "sshd"
        if config is None:
            return self._machine.commands.run([program, "-t"], timeout=_LIMIT)
        self._files.write(places.TRIAL, config.encode(), mode=_SECRET)
        told = self._machine.commands.run([program, "-T", "-f", places.TRIAL], timeout=_LIMIT)
        self._files.remove(places.TRIAL)
        return told

    def _effective(self, user: str) -> dict[str, list[str]] | None:
        program = self._machine.commands.find("sshd") or "sshd"
        argv = [program, "-T", "-C", f"user={user},host=localhost,addr=127.0.0.1"]
        told = self._machine.commands.run(argv, timeout=_LIMIT)
        return parse_effective(told.output) if told.succeeded else None

    def _keep_running(self, *, reload: bool = False) -> None:
        """Have the server run, now and after a boot, with what is in its files now."""
        services = self._machine.services
        if not services.is_available():
            return
        has_news = len(self.done) > self._taken_up
        if self._unit().is_masked:
            services.unmask(self._unit().name)
            services.reload_units()
            self.done.append("systemd may start it again")
        unit, has_socket = self._unit(), self._has_socket()
        if not (unit.starts_at_boot or has_socket):
            services.enable((unit.name,))
            services.reload_units()
            self.done.append(f"{unit.name} starts at boot again")
        if unit.is_active and has_news:
            (services.reload if reload else services.restart)(unit.name)
        elif not unit.is_active and not has_socket:
            services.restart(unit.name)
            self.done.append(f"{unit.name} runs again")
        self._taken_up = len(self.done)

    def _unit(self) -> Unit:
        units = self._machine.services.units(_SERVICES)
        return next((unit for unit in units if unit.exists), units[0])

    def _has_socket(self) -> bool:
        """Whether systemd listens in the server's place, and starts it for each who comes."""
        return any(unit.is_active and unit.starts_at_boot for unit in self._machine.services.units(_SOCKETS))
