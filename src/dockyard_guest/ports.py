"""What handlers and the runtime may ask of the machine, and what the runtime may ask of a handler.

The system room implements the machine's side, `main` joins the two, tests implement them again. Nothing here acts.
All paths are absolute texts. Methods raise `GuestError` and nothing else for what can be foreseen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from .values import (
        Account,
        Applied,
        CertificateFacts,
        Completed,
        HttpAnswer,
        Listener,
        OsRelease,
        PlainSettings,
        Repeats,
        Repository,
        ScriptOrder,
        Section,
        TextFile,
        TlsProbe,
        Unit,
    )


# ---------------------------------------------------------------- the machine


class Clock(Protocol):
    """Time of day, elapsed time, and waiting."""

    def time(self) -> float:
        """Seconds since the epoch."""

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class Files(Protocol):
    """Files and folders of root. A write is atomic and leaves the final mode from the first moment."""

    def read(self, path: str) -> bytes | None:
        """The content, or ``None`` when there is no such file."""

    def write(self, path: str, content: bytes, *, mode: int) -> None:
        """Put a file of this content and mode in place of whatever file is there; never follows a link."""

    def append(self, path: str, content: bytes, *, mode: int) -> None:
        """Add to the end of a file, which is made with this mode when there is none."""

    def remove(self, path: str) -> None:
        """Remove a file; it need not be there."""

    def rename(self, source: str, target: str) -> None:
        """Move a file within its folder, over whatever file is there."""

    def read_part(self, path: str, *, start: int, limit: int) -> bytes:
        """At most `limit` bytes from a place on; empty at the end, or when there is no such file."""

    def give(self, path: str, *, account: Account) -> None:
        """Make a user the owner of a folder with all that is in it; follows no link."""

    def size(self, path: str) -> int:
        """Size in bytes; 0 when there is no such file."""

    def mode(self, path: str) -> int | None:
        """Permission bits, or ``None`` when there is no such file."""

    def make_folder(self, path: str, *, mode: int) -> None:
        """Make a folder and its parents; one that is there stays as it is."""

    def remove_folder(self, path: str) -> None:
        """Remove a folder if it is there and empty."""

    def remove_tree(self, path: str) -> None:
        """Remove a folder with all that is in it; follows no link, and it need not be there."""

    def names(self, folder: str) -> tuple[str, ...]:
        """Names in a folder, sorted; none when there is no such folder."""

    def stamp(self, path: str) -> str:
        """A text that changes whenever the file is replaced, written or removed."""

    def try_lock(self, path: str) -> AbstractContextManager[None] | None:
        """Take the lock that goes with this file, or ``None`` when another process holds it.

        The lock is released when the context is left or the process ends, however it ends.
        """


class Commands(Protocol):
    """Processes. The environment is made from scratch; arguments and environment never hold a secret."""

    def find(self, program: str) -> str | None:
        """Path of a program, or ``None``."""

    def run(self, argv: Sequence[str], *, timeout: float, stdin: bytes = b"") -> Completed:
        """Run a program to its end; standard output and standard error are kept apart.

        Raises:
            PermanentError: There is no such program.
            TemporaryError: It did not end in time; it and its children have been killed.
        """

    def stream(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        on_line: Callable[[str], None],
        environment: Mapping[str, str] | None = None,
    ) -> Completed:
        """As `run`, with both outputs merged and every line handed on as it comes."""


class Services(Protocol):
    """The service manager, which is systemd."""

    def is_available(self) -> bool:
        """Whether systemd runs this machine."""

    def units(self, names: Sequence[str]) -> tuple[Unit, ...]:
        """The units of these names, in this order, whether they exist or not."""

    def reload_units(self) -> None:
        """Make the manager read unit files again."""

    def enable(self, names: Sequence[str]) -> None:
        """Make units start at boot; the manager learns of it when it next reads unit files."""

    def start(self, name: str) -> None:
        """Start a unit that does not run, or wait for one that is starting, until it is up.

        Raises:
            TemporaryError: It did not come up.
        """

    def restart(self, name: str) -> None:
        """Start or restart a unit and wait until it is up.

        Raises:
            TemporaryError: It did not come up.
        """

    def reload(self, name: str) -> None:
        """Ask a running unit to read its configuration again."""

    def stop(self, names: Sequence[str]) -> None:
        """Stop units; they need not run."""

    def journal(self, name: str, *, since: float, lines: int) -> tuple[str, ...]:
        """The last lines the unit's own processes wrote since a time in seconds since the epoch."""


class Step(Protocol):
    """One step of the work, shown as a substatus."""

    def say(self, text: str) -> None:
        """Replace the step's text."""

    def warn(self, text: str) -> None:
        """Replace the step's text; the step ends as a warning."""

    def checkpoint(self) -> None:
        """A moment at which the work may be given up.

        Raises:
            SupersededError: A newer command has been given.
        """


class Packages(Protocol):
    """The distribution's package manager."""

    def is_available(self) -> bool:
        """Whether this machine has it."""

    def installed(self) -> frozenset[str]:
        """Names of the packages that are installed."""

    def versions(self) -> Mapping[str, str]:
        """The installed packages and their whole versions."""

    def refresh(self, *, step: Step) -> None:
        """Fetch the lists of all repositories anew; waits for locks and for the network.

        Raises:
            TemporaryError: The network or another package manager did not let go before the deadline.
            PermanentError: A repository is not signed by the key it is trusted for, or cannot be read.
        """

    def offered(self, name: str) -> tuple[str, ...]:
        """The versions of a package that the repositories had at the last `refresh`, the preferred ones first."""

    def is_newer(self, version: str, *, than: str) -> bool:
        """Whether one version of a package comes after another, in the package manager's own order."""

    def install(
        self,
        names: Sequence[str],
        *,
        if_known: Sequence[str],
        step: Step,
        versions: Mapping[str, str] | None = None,
        replaces: Sequence[str] = (),
    ) -> None:
        """Install packages, and those of `if_known` that the distribution has; waits for locks and for the network.

        Fetches the lists first unless `refresh` has done so. A package that is named in `versions` gets that version,
        be it older than the one that is there. No other packages are removed for these than those in `replaces`.

        Raises:
            TemporaryError: The network or another package manager did not let go before the deadline.
            PermanentError: The package manager refused.
        """

    def remove(self, names: Sequence[str]) -> None:
        """Remove packages and nothing besides; those that others need stay."""

    def repository_files(self, repository: Repository) -> tuple[TextFile, ...]:
        """The files that make a repository known and trusted; nothing is written."""

    def trust(self, files: Sequence[TextFile]) -> None:
        """Trust the keys among a repository's files, where files alone do not say so."""


class Downloads(Protocol):
    """Small files from the network."""

    def get(self, url: str) -> bytes:
        """The content of a file at an https address.

        Raises:
            TemporaryError: It cannot be fetched.
            PermanentError: The address is not, or leads away from, an https address.
        """

    def fetch(self, url: str, path: str, *, mode: int, proxy: str | None = None) -> str:
        """Put the content of an http or https address into a new file; answers its SHA-256 in hexadecimal.

        No error holds the query of the address, which may be a signature.

        Raises:
            TemporaryError: It cannot be fetched now: no connection, or the server says so (408, 429, 500, 502-504).
            PermanentError: The server refuses, the address is none, or the file cannot be written.
        """


class Uploads(Protocol):
    """Text into blobs."""

    def put(self, url: str, content: bytes) -> None:
        """Replace a block blob at an http or https address that carries its own signature.

        Raises:
            TemporaryError: It cannot be written; the error does not hold the query of the address.
        """


class Script(Protocol):
    """A program that was started for somebody."""

    def exit_code(self) -> int | None:
        """How the program ended; ``None`` while it runs. 128 and the signal's number for one that was killed."""

    def kill(self) -> None:
        """End the program and everything it has started, in whatever session."""


class Scripts(Protocol):
    """Programs run as somebody asked for them, apart from this process and the agent's service.

    The record of the one that runs is ``running`` in the folder where the commands of its extension, or of its named
    configuration, meet: the runtime ends what is left of work that was interrupted.
    """

    def account(self, name: str) -> Account | None:
        """The user of this name, or ``None``."""

    def start(self, order: ScriptOrder) -> Script:
        """Start a program; what it starts itself goes on after its end, unless it is killed.

        Raises:
            PermanentError: It cannot be started.
        """

    def end(self, record: str) -> None:
        """Kill the script that a record tells of, with everything it has started; there need not be one."""


class Sockets(Protocol):
    """Network endpoints of this machine."""

    def listener(self, port: int) -> Listener | None:
        """Who listens on a TCP port."""

    def get_unix(self, socket: str, path: str, *, timeout: float) -> HttpAnswer:
        """Ask an HTTP server on a unix socket.

        Raises:
            TemporaryError: There was no HTTP answer in time.
        """

    def get_tls(
        self,
        port: int,
        path: str,
        *,
        authority: str,
        timeout: float,
        certificate: str | None = None,
        key: str | None = None,
    ) -> TlsProbe:
        """Send one HTTPS request to this machine and read the answer, or find out why there is none.

        A request is needed: under TLS 1.3 the client's handshake succeeds even when its certificate is refused.
        """


class Certificates(Protocol):
    """Questions about certificates, answered by the openssl program."""

    def inspect(self, *, authority: bytes, certificate: bytes, key: bytes) -> CertificateFacts:
        """What there is to know about a server's certificate.

        Raises:
            PermanentError: One of the three cannot be read.
        """


class Envelopes(Protocol):
    """Protected settings."""

    def open(self, envelope: bytes, *, certificate: str, key: str) -> bytes:
        """Decrypt a DER CMS envelope with the recipient's certificate and key files.

        Raises:
            PermanentError: It cannot be decrypted. The error never holds plaintext.
        """


class Background(Protocol):
    """Work that outlives the command that starts it."""

    def start(self, *, name: str, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start a program apart from this process and from the agent's service; no name is used twice.

        Raises:
            TemporaryError: It could not be started.
        """


class Settled(Protocol):
    """The marker by which a repeated `enable` with nothing to do is known without reading anything else."""

    def record(
        self,
        *,
        folder: str,
        version: str,
        sequence_number: int,
        watched: Sequence[str],
        pid_files: Sequence[str] = (),
        until: float | None = None,
    ) -> None:
        """Declare a sequence number settled for as long as all these files stay as they are now.

        Besides, only as long as those of the processes named by `pid_files` that run now go on, and until a moment in
        seconds since the epoch if there is one.
        """

    def forget(self, *, folder: str) -> None:
        """Declare nothing settled."""


class System(Protocol):
    """What this machine is."""

    def release(self) -> OsRelease:
        """Which distribution this is."""


@dataclass(frozen=True)
class Machine:
    """All doors to the machine."""

    clock: Clock
    files: Files
    commands: Commands
    services: Services
    packages: Packages
    sockets: Sockets
    certificates: Certificates
    envelopes: Envelopes
    background: Background
    settled: Settled
    system: System
    downloads: Downloads
    uploads: Uploads
    scripts: Scripts


# ---------------------------------------------------------------- handlers


class Progress(Protocol):
    """The steps of the work, in the order they begin."""

    def report(self, message: str, *, success: bool = False) -> None:
        """Replace the main message while the work goes on; up to 64 KiB, for programs that read it.

        `success` is for work that nobody is to wait for: the status says so before it ends.
        """

    def step(self, name: str, text: str) -> AbstractContextManager[Step]:
        """Begin a step. Leaving the context ends it well, or as an error when a `GuestError` passes through.

        Raises:
            SupersededError: A newer command has been given; the step does not begin.
        """


class Handler(Protocol):
    """One extension, as the runtime sees it."""

    @property
    def title(self) -> str:
        """What is handled, as it stands in the status: ``Docker``."""

    @property
    def repeats(self) -> Repeats:
        """What becomes of a sequence number that the agent gives once more."""

    def install(self) -> str:
        """Find out, quickly, whether this machine can have the extension. Answers one sentence.

        Raises:
            PermanentError: It cannot.
        """

    def check(self, settings: PlainSettings) -> None:
        """Judge settings without touching the machine.

        Raises:
            MalformedDocument: A member is missing or of the wrong type.
            PermanentError: The members do not go together.
        """

    def apply(self, settings: PlainSettings, *, progress: Progress) -> Applied:
        """Bring the machine into the state asked for; finds the state it is in first, and changes what differs.

        Raises:
            MalformedDocument: A member is missing or of the wrong type.
            GuestError: It could not be done. What worked before works again.
        """

    def disable(self) -> str:
        """Take back what makes the extension reachable; keeps data. Answers one sentence."""

    def update(self, *, target_version: str) -> str:
        """Hand over to another version of this handler. Answers one sentence."""

    def uninstall(self) -> str:
        """Take back what this version brought, unless another version has taken over. Answers one sentence."""

    def diagnose(self) -> tuple[Section, ...]:
        """What support must know of this extension's part of the machine; reads only, and no secret."""
