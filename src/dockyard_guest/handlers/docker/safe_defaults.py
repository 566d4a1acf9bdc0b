"""Safe defaults of the daemon's configuration: each has a name, a switch, and yields to the user's own word.

Pure. The defaults that are not members of ``daemon.json`` have their names here and their work in `platform_guard`
and `hardening`. Numbers in brackets are those of the CIS Docker Benchmark 1.6.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from .daemon_config import members_of
from .flags import members_of_flags
from .places import SECCOMP_PROFILE
from .unit_file import program_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .facts import Facts
    from .settings import DockerSettings


class Switch(Enum):
    """A safe default, by its name under ``docker.defaults``."""

    LIVE_RESTORE = "live-restore"
    LOG_ROTATION = "log-rotation"
    USERLAND_PROXY = "userland-proxy"
    NO_NEW_PRIVILEGES = "no-new-privileges"
    ICC = "icc"
    ULIMITS = "ulimits"
    SECCOMP = "seccomp"
    FILE_MODES = "file-modes"
    AUDIT_RULES = "audit-rules"
    PLATFORM_GUARD = "platform-guard"
    METADATA_GUARD = "metadata-guard"


@dataclass(frozen=True)
class MemberDefault:
    """Members that make one default.

    Attributes:
        members: What is put into the configuration.
        yields_to: Members of which any, said by the user, is his word on the whole default.
        needs_iptables: Whether dockerd has, or works with, this default only when it manages iptables.
        in_swarm: Whether a member of a swarm may have it.
        needs_seccomp: Whether containers start with this default only where the kernel filters system calls.
    """

    members: Mapping[str, object]
    yields_to: frozenset[str] = frozenset()
    needs_iptables: bool = False
    in_swarm: bool = True
    needs_seccomp: bool = False


MEMBER_DEFAULTS: Mapping[Switch, MemberDefault] = {
    # [2.15] Containers outlive a restart of the daemon, so that changing a port or a certificate does not stop them.
    Switch.LIVE_RESTORE: MemberDefault({"live-restore": True}, in_swarm=False),
    # Not `local`: what collects logs on machines reads the files of json-file.
    Switch.LOG_ROTATION: MemberDefault(
        {"log-driver": "json-file", "log-opts": {"max-size": "10m", "max-file": "5"}},
        yields_to=frozenset({"log-driver", "log-opts"}),
    ),
    # [2.16] Without iptables the proxy is the only way to a published port.
    Switch.USERLAND_PROXY: MemberDefault({"userland-proxy": False}, needs_iptables=True),
    # [2.14] Programs with the setuid bit gain nothing; those that root starts may still become other users.
    Switch.NO_NEW_PRIVILEGES: MemberDefault({"no-new-privileges": True}),
    # [2.2] dockerd does not start with this and without iptables.
    Switch.ICC: MemberDefault({"icc": False}, needs_iptables=True),
    # [2.8] systemd gives the daemon a limit of a thousand million, which old programs walk through to its end.
    Switch.ULIMITS: MemberDefault(
        {"default-ulimits": {"nofile": {"Name": "nofile", "Soft": 65536, "Hard": 524288}}},
        yields_to=frozenset({"default-ulimits"}),
    ),
    # [2.17] The engine's own profile is as old as the engine; see `seccomp_profile`.
    Switch.SECCOMP: MemberDefault({"seccomp-profile": SECCOMP_PROFILE}, needs_seccomp=True),
}


@dataclass(frozen=True)
class Chosen:
    """The defaults that apply to one machine.

    Attributes:
        members: Members of the configuration.
        applied: Switches whose members are there.
        left: Switches that are on, yet yield to the user's own word or to what the machine is.
    """

    members: Mapping[str, object] = field(default_factory=dict)
    applied: tuple[Switch, ...] = ()
    left: tuple[Switch, ...] = ()


def said_by_user(settings: DockerSettings, facts: Facts, *, foreign: bytes | None) -> dict[str, object]:
    """What the user has said himself, by member: in the file, in the unit and its options, in the settings."""
    words = (*program_words(facts.base_command), *facts.default_options, *settings.options)
    flags = {name: flag.value for name, flag in members_of_flags(words).items()}
    return {**members_of(foreign), **flags, **settings.daemon.members}


def choose_defaults(said: Mapping[str, object], *, off: frozenset[Switch], swarm: bool, seccomp: bool = True) -> Chosen:
    """Choose the defaults about which the user has not said anything else."""
    without_iptables = said.get("iptables") in (False, "false", "0")
    members: dict[str, object] = {}
    applied: list[Switch] = []
    left: list[Switch] = []
    for switch, default in MEMBER_DEFAULTS.items():
        if switch in off:
            continue
        yields = any(name in said for name in (default.yields_to or default.members))
        lacks = (default.needs_iptables and without_iptables) or (default.needs_seccomp and not seccomp)
        fits = not lacks and (default.in_swarm or not swarm)
        if yields or not fits:
            left.append(switch)
            continue
        applied.append(switch)
        members |= default.members
    return Chosen(members=members, applied=tuple(applied), left=tuple(left))
