"""What passes through the ports: frozen values that say what was found out about the machine or what came of an act.

Made by the system room or by handlers, read by everybody in the guest. No behaviour beyond answering questions.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockyard_contract.documents import JsonObject


@dataclass(frozen=True)
class Completed:
    """A process that ended. Output is hidden from `repr`: it may be a decrypted secret."""

    argv: tuple[str, ...]
    exit_code: int
    stdout: bytes = field(default=b"", repr=False)
    stderr: bytes = field(default=b"", repr=False)

    @property
    def succeeded(self) -> bool:
        """Whether it exited with 0."""
        return self.exit_code == 0

    @property
    def output(self) -> str:
        """Standard output as text."""
        return self.stdout.decode(errors="replace")

    @property
    def complaint(self) -> str:
        """Standard error as text, without blanks around it."""
        return self.stderr.decode(errors="replace").strip()


class Family(enum.Enum):
    """Distributions whose packages and package managers are alike."""

    DEBIAN = "the Debian family"
    RED_HAT = "the Red Hat family"
    SUSE = "the SUSE family"


_FAMILIES = {
    **dict.fromkeys(("debian", "ubuntu"), Family.DEBIAN),
    **dict.fromkeys(("fedora", "rhel", "centos", "amzn", "azurelinux", "mariner"), Family.RED_HAT),
    **dict.fromkeys(("suse", "opensuse", "sles", "sle-micro"), Family.SUSE),
}


@dataclass(frozen=True)
class OsRelease:
    """Which distribution this is: the members of ``/etc/os-release`` that decide anything."""

    id: str
    id_like: tuple[str, ...] = ()
    version_id: str = ""
    pretty_name: str = ""
    codename: str = ""

    @property
    def family(self) -> Family | None:
        """The family it is of, by its own name or by those it says it is like."""
        return next((_FAMILIES[name] for name in (self.id, *self.id_like) if name in _FAMILIES), None)


@dataclass(frozen=True)
class Repository:
    """A repository of signed packages, apart from the distribution's own.

    Attributes:
        name: Name of its files: a word without blanks.
        title: What people call it.
        base: Its address without the suite.
        suite: The distribution's release it is for: a code name or a number.
        key: The armoured public key that signs it.
    """

    name: str
    title: str
    base: str
    suite: str
    key: str


@dataclass(frozen=True)
class TextFile:
    """A file of text and where it belongs; everybody on the machine may read it."""

    path: str
    text: str


@dataclass(frozen=True)
class Unit:
    """One systemd unit as its manager sees it; the words are systemd's own."""

    name: str
    load_state: str = "not-found"
    active_state: str = "inactive"
    file_state: str = ""
    fragment: str = ""
    drop_ins: tuple[str, ...] = ()
    main_pid: int = 0

    @property
    def exists(self) -> bool:
        """Whether there is such a unit, masked or not."""
        return self.load_state != "not-found"

    @property
    def is_masked(self) -> bool:
        """Whether somebody has forbidden the unit to start."""
        return self.load_state == "masked"

    @property
    def is_active(self) -> bool:
        """Whether the unit runs now."""
        return self.active_state in ("active", "reloading")

    @property
    def starts_at_boot(self) -> bool:
        """Whether the unit needs no enabling, or is enabled."""
        return self.file_state not in ("disabled", "indirect")


@dataclass(frozen=True)
class Listener:
    """Who listens on a TCP port. Process number and name are unknown for other namespaces."""

    port: int
    pid: int | None = None
    name: str | None = None

    def __str__(self) -> str:
        if self.pid is None:
            return "a process that cannot be seen from here"
        return f"{self.name or 'a process'} (process {self.pid})"


@dataclass(frozen=True)
class CertificateFacts:
    """What the openssl program says about a server's certificate, its key and their authority.

    Attributes:
        subject: Subject of the certificate.
        names: Host names and addresses in its subject alternative name; a client compares no other.
        not_before: Begin of its validity, seconds since the epoch.
        not_after: End of its validity, seconds since the epoch.
        authority_not_before: Begin of the authority's validity.
        authority_not_after: End of the authority's validity. Client certificates do not hold beyond it either.
        key_matches: Whether the private key belongs to the certificate.
        chain_problem: Why the certificate does not lead to the authority; empty when it does. Dates are left out.
        serves: Whether it may be used by a server: serverAuth, or no restriction at all.
    """

    subject: str
    names: tuple[str, ...]
    not_before: float
    not_after: float
    authority_not_before: float
    authority_not_after: float
    key_matches: bool
    chain_problem: str
    serves: bool


@dataclass(frozen=True)
class HttpAnswer:
    """The beginning of an HTTP answer: its status and its body."""

    status: int
    body: bytes = b""


@dataclass(frozen=True)
class TlsProbe:
    """What came of one HTTPS request. At most one of `answer` and `refused` is set; none means unreachable.

    Attributes:
        answer: The HTTP answer, if one came.
        refused: Why the far side ended the connection after it had been made; empty when it did not.
        unreachable: Why no connection could be made; empty when one was.
    """

    answer: HttpAnswer | None = None
    refused: str = ""
    unreachable: str = ""


@dataclass(frozen=True)
class Account:
    """A user of this machine, by the system's own word."""

    name: str
    uid: int
    gid: int
    home: str


@dataclass(frozen=True)
class ScriptOrder:
    """A program to be run as somebody asked for it. Hidden from `repr`: arguments and environment may be secrets.

    Attributes:
        unit: Name without blanks by which its processes are known; used for nothing else, before or after.
        record: File that tells which script runs, as long as it does.
        argv: The program and its arguments.
        environment: All of its environment.
        folder: Where it starts.
        stdout: File its standard output goes to; made anew, for root alone.
        stderr: The same for standard error.
        account: Whom it runs as; root when there is none.
    """

    unit: str
    record: str
    argv: tuple[str, ...] = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)
    folder: str
    stdout: str
    stderr: str
    account: Account | None = None


@dataclass(frozen=True)
class PlainSettings:
    """One sequence number's settings after decryption; both parts are objects, possibly empty."""

    public: JsonObject
    protected: JsonObject
    sequence_number: int = 0


class Repeats(enum.Enum):
    """What a handler does when the agent gives a sequence number once more, which it does after every restart and boot.

    The first is for a state to be kept up, the others for a deed to be done: its number never runs twice, neither after
    a restart or a reboot nor after a change of the handler's version, and its final status stays as it is.
    """

    WHENEVER_ASKED = "looks again, and changes what differs"
    IF_INTERRUPTED = "repeats work that was interrupted, from its beginning"
    NEVER = "ends work that was interrupted as an error"


@dataclass(frozen=True)
class Section:
    """A part of the report for support: its title and its lines."""

    title: str
    text: str


@dataclass(frozen=True)
class Applied:
    """What a handler has done for one sequence number.

    Attributes:
        message: The status message: one sentence, or a document or an output for programs to read.
        watched: Paths that must stay as they are now for the same settings to need no work again.
        pid_files: Files with the numbers of processes that must go on for the same.
        until: When the same settings need another look although nothing has changed, in seconds since the epoch.
        succeeded: Whether the status is success; a handler may fail with a message for programs to read.
        code: The handler's own code of a failure.
        summary: What the log says in the place of the message, for one that holds what somebody's program wrote.
    """

    message: str
    succeeded: bool = True
    code: int = 0
    summary: str = ""
    watched: tuple[str, ...] = ()
    pid_files: tuple[str, ...] = ()
    until: float | None = None
