"""Find out whether this computer's processor can run machines itself (KVM), or QEMU must translate (TCG).

Called by ``driver`` before each start. The presence of /dev/kvm proves nothing: on nested hosts it takes a machine and
then hangs it, or QEMU aborts. Only a kernel that really ran is believed; the verdict is kept until the host restarts.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from dockyard import files
from dockyard.hypervisors.qemu import argv, processes
from dockyard.hypervisors.qemu.argv import AccelerationKind
from dockyard.model.errors import Exhausted

PROBE_SECONDS = 6.0
"""How long a kernel may take, from QEMU's start to its panic for want of a root file system; KVM needs about one."""

_RAN_TO_THE_END = "Unable to mount root fs"
_DEVICE = Path("/dev/kvm")


class AccelerationMode(Enum):
    """What the user asked for."""

    AUTO = "auto"
    KVM = "kvm"
    TCG = "tcg"


@dataclass(frozen=True)
class Acceleration:
    """What machines are started with, and one sentence for people on why."""

    kind: AccelerationKind
    why: str


@dataclass(frozen=True)
class Verdict:
    """Whether KVM ran a kernel, and what was seen."""

    works: bool
    evidence: str


@dataclass(frozen=True)
class HostIdentity:
    """All a verdict depends on; another value means another trial."""

    kernel: str
    boot_id: str
    processor: str
    qemu: str


class Prober(Protocol):
    """Looks at the host and tries KVM."""

    def obstacle(self) -> str:
        """Return why KVM cannot even be tried, as a clause; empty when it can."""

    def identity(self) -> HostIdentity:
        """Return what the verdict depends on."""

    async def probe(self, *, kernel: Path) -> Verdict:
        """Boot ``kernel`` under KVM."""


class AccelerationChoice:
    """Chooses once and remembers. ``verdict_file`` outlives the server; it may be deleted at any time."""

    def __init__(self, *, mode: AccelerationMode, verdict_file: Path, prober: Prober) -> None:
        self._mode = mode
        self._file = verdict_file
        self._prober = prober
        self._one_at_a_time = asyncio.Lock()

    async def choose(self, *, kernel: Path) -> Acceleration:
        """Return what to start machines with; tries ``kernel`` under KVM when that is not known yet.

        Raises:
            Exhausted: KVM was demanded and does not work (code AccelerationUnavailable).
        """
        if self._mode is AccelerationMode.TCG:
            return Acceleration(AccelerationKind.TCG, "Software emulation (TCG), as configured.")
        async with self._one_at_a_time:
            verdict = await self._verdict(kernel=kernel)
        return decide(mode=self._mode, verdict=verdict)

    async def _verdict(self, *, kernel: Path) -> Verdict:
        if obstacle := self._prober.obstacle():
            return Verdict(works=False, evidence=obstacle)
        identity = self._prober.identity()
        verdict = recall(self._file, identity=identity)
        if verdict is None:
            verdict = await self._prober.probe(kernel=kernel)
            remember(self._file, identity=identity, verdict=verdict)
        return verdict


def decide(*, mode: AccelerationMode, verdict: Verdict) -> Acceleration:
    """Turn a verdict on KVM into a choice. Raises Exhausted when KVM was demanded and does not work."""
    if verdict.works:
        return Acceleration(AccelerationKind.KVM, f"Hardware virtualization (KVM): {verdict.evidence}.")
    if mode is AccelerationMode.KVM:
        raise Exhausted(
            "KVM was demanded and does not work on this computer",
            details=f"{verdict.evidence[:1].upper()}{verdict.evidence[1:]}.",
            resolution="Set the acceleration to 'auto' or 'tcg' to run machines by slower software emulation.",
            code="AccelerationUnavailable",
        )
    return Acceleration(
        AccelerationKind.TCG, f"Software emulation (TCG), several times slower than KVM: {verdict.evidence}."
    )


def judge(output: str) -> Verdict:
    """Read what QEMU and the kernel wrote during a trial."""
    if _RAN_TO_THE_END in output:
        return Verdict(works=True, evidence="a kernel ran to its end under it")
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    seen = f"the last sign of life was '{lines[-1][-100:]}'" if lines else "there was no sign of life"
    return Verdict(works=False, evidence=f"/dev/kvm is there, but no kernel ran to its end under it ({seen})")


def recall(file: Path, *, identity: HostIdentity) -> Verdict | None:
    """Return the kept verdict when it was passed on this very host, kernel, boot and QEMU, else None."""
    try:
        document = json.loads(file.read_bytes())
        kept = Verdict(works=bool(document["works"]), evidence=str(document["evidence"]))
        same = document["host"] == asdict(identity)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    return kept if same else None


def remember(file: Path, *, identity: HostIdentity, verdict: Verdict) -> None:
    """Keep a verdict."""
    document = {"host": asdict(identity), **asdict(verdict)}
    files.write(file, json.dumps(document, indent=1).encode() + b"\n", mode=files.PUBLIC)


class KvmProber:
    """The real host."""

    def obstacle(self) -> str:
        """Say why KVM cannot even be tried."""
        if platform.machine() != "x86_64":
            return f"this computer's processor is {platform.machine()}, machines are x86_64"
        if not _DEVICE.exists():
            return "there is no /dev/kvm (virtualization may be off in the firmware, or this is a container or a VM)"
        if not os.access(_DEVICE, os.R_OK | os.W_OK):
            return "/dev/kvm may not be opened by this user (sudo usermod -aG kvm $USER, then log in again)"
        return ""

    def identity(self) -> HostIdentity:
        """Read what a verdict depends on; a QEMU is told from another by its file's size and time."""
        program = processes.program(processes.SYSTEM_PROGRAM).resolve()
        stat = program.stat()
        return HostIdentity(
            kernel=platform.release(),
            boot_id=Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
            processor=_processor(Path("/proc/cpuinfo").read_text()),
            qemu=f"{program}, {stat.st_size} bytes, {stat.st_mtime_ns}",
        )

    async def probe(self, *, kernel: Path) -> Verdict:
        """Boot the kernel under KVM until it panics for want of a root file system, which proves that it ran."""
        program = processes.program(processes.SYSTEM_PROGRAM)
        output = await processes.output_until(
            argv.probe_arguments(program=program, kernel=kernel),
            enough=lambda text: _RAN_TO_THE_END in text,
            deadline=PROBE_SECONDS,
        )
        return judge(output)


def _processor(cpuinfo: str) -> str:
    names = [line.partition(":")[2].strip() for line in cpuinfo.splitlines() if line.startswith("model name")]
    return names[0] if names else "unknown"
