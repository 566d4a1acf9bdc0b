"""The doors of the played machine that are not its engine's: files, time, downloads, scripts and what else there is."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import GuestError, PermanentError, TemporaryError
from dockyard_guest.system.files import SystemFiles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    from dockyard_guest.values import Account, CertificateFacts, OsRelease, ScriptOrder

    from .world import World

SEAL = b"sealed "


class TreeFiles(SystemFiles):
    """The real files door, with every path inside the machine's folder."""

    def __init__(self, world: World) -> None:
        self._world = world

    def read(self, path: str) -> bytes | None:
        return super().read(self._world.path(path))

    def write(self, path: str, content: bytes, *, mode: int) -> None:
        self._world.effect()
        super().write(self._world.path(path), content, mode=mode)

    def append(self, path: str, content: bytes, *, mode: int) -> None:
        super().append(self._world.path(path), content, mode=mode)

    def remove(self, path: str) -> None:
        # The real write calls this one too, with a path that is inside already.
        self._world.effect()
        super().remove(path if path.startswith(f"{self._world.root}/") else self._world.path(path))

    def rename(self, source: str, target: str) -> None:
        super().rename(self._world.path(source), self._world.path(target))

    def read_part(self, path: str, *, start: int, limit: int) -> bytes:
        return super().read_part(self._world.path(path), start=start, limit=limit)

    def give(self, path: str, *, account: Account) -> None:
        self._world.events.append(f"give {path} to {account.name}")

    def size(self, path: str) -> int:
        return super().size(self._world.path(path))

    def mode(self, path: str) -> int | None:
        return super().mode(self._world.path(path))

    def make_folder(self, path: str, *, mode: int) -> None:
        super().make_folder(self._world.path(path), mode=mode)

    def remove_folder(self, path: str) -> None:
        super().remove_folder(self._world.path(path))

    def remove_tree(self, path: str) -> None:
        super().remove_tree(self._world.path(path))

    def names(self, folder: str) -> tuple[str, ...]:
        return super().names(self._world.path(folder))

    def stamp(self, path: str) -> str:
        return super().stamp(self._world.path(path))

    def try_lock(self, path: str) -> AbstractContextManager[None] | None:
        return super().try_lock(self._world.path(path))


class VirtualClock:
    """Time that passes only when somebody waits; what is to arrive meanwhile arrives."""

    def __init__(self, world: World) -> None:
        self._world = world

    def time(self) -> float:
        return 1_750_000_000.0 + self._world.now

    def monotonic(self) -> float:
        return self._world.now

    def sleep(self, seconds: float) -> None:
        self._world.now += seconds
        for moment in sorted(self._world.arrivals):
            if moment <= self._world.now:
                self._world.arrivals.pop(moment)()


class DeclaredDownloads:
    """The files a test says are to be had."""

    def __init__(self, world: World) -> None:
        self._world = world

    def get(self, url: str) -> bytes:
        if url not in self._world.downloads:
            raise TemporaryError(f"{url} cannot be fetched.", exit_code=ExitCode.MISSING_DEPENDENCY)
        return self._world.downloads[url]

    def fetch(self, url: str, path: str, *, mode: int, proxy: str | None = None) -> str:
        self._world.events.append(f"fetch {url}{f' by {proxy}' if proxy else ''}")
        answers = self._world.fetched.get(url, ())
        if not answers:
            raise PermanentError("The server answers 404.", exit_code=ExitCode.MISSING_DEPENDENCY)
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, GuestError):
            raise answer
        TreeFiles(self._world).write(path, answer, mode=mode)
        return hashlib.sha256(answer).hexdigest()


class NotedUploads:
    """Blobs that remember what was put into them; one whose address has no signature refuses."""

    def __init__(self, world: World) -> None:
        self._world = world

    def put(self, url: str, content: bytes) -> None:
        if "?" not in url:
            raise TemporaryError(f"{url} cannot be written: the server answers 403.")
        self._world.events.append(f"put {content.decode()!r} into {url}")


class DeclaredCertificates:
    """Certificates about which the state says what is to be found out."""

    def __init__(self, world: World) -> None:
        self._world = world

    def inspect(self, *, authority: bytes, certificate: bytes, key: bytes) -> CertificateFacts:
        assert self._world.certificate is not None, "nobody said that a certificate would be looked at"
        return self._world.certificate


class SealedEnvelopes:
    """Envelopes that are plaintext after a mark."""

    def __init__(self, world: World) -> None:
        self._world = world

    def open(self, envelope: bytes, *, certificate: str, key: str) -> bytes:
        if not envelope.startswith(SEAL) or self._world.text(key) is None:
            raise PermanentError("The protected settings cannot be decrypted.", exit_code=ExitCode.BAD_CONFIGURATION)
        return envelope[len(SEAL) :]


class NotedBackground:
    """Work that is noted instead of started; a test runs it as the next command."""

    def __init__(self, world: World) -> None:
        self._world = world

    def start(self, *, name: str, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        number = environment["ConfigSequenceNumber"]
        self._world.events.append(f"start the work for {number}")


class PlayedScripts:
    """Scripts that go as a test says."""

    def __init__(self, world: World) -> None:
        self._world = world

    def start(self, order: ScriptOrder) -> PlayedScript:
        self._world.orders.append(order)
        self._world.events.append(f"run {' '.join(order.argv)}")
        files = TreeFiles(self._world)
        for path in (order.stdout, order.stderr):
            files.write(path, b"", mode=0o600)
        files.make_folder(order.record.rpartition("/")[0], mode=0o700)
        files.write(order.record, order.unit.encode(), mode=0o600)
        return PlayedScript(self._world, order)

    def end(self, record: str) -> None:
        if self._world.text(record) is not None:
            self._world.effect()
            self._world.events.append("end the script")
            TreeFiles(self._world).remove(record)


class PlayedScript:
    """One of them that has been started."""

    def __init__(self, world: World, order: ScriptOrder) -> None:
        self._world = world
        self._order = order
        self._begun = world.now
        self._left = list(world.played.writes)

    def exit_code(self) -> int | None:
        passed = self._world.now - self._begun
        files = TreeFiles(self._world)
        while self._left and self._left[0][0] <= passed:
            _, stdout, stderr = self._left.pop(0)
            files.append(self._order.stdout, stdout.encode(), mode=0o600)
            files.append(self._order.stderr, stderr.encode(), mode=0o600)
        ends = self._world.played.ends
        if ends is None or passed < ends:
            return None
        files.remove(self._order.record)
        return self._world.played.code

    def kill(self) -> None:
        PlayedScripts(self._world).end(self._order.record)


class DeclaredSystem:
    """The distribution the state says it is."""

    def __init__(self, world: World) -> None:
        self._world = world

    def release(self) -> OsRelease:
        return self._world.release
