"""KVM is believed only after a kernel ran under it, and the verdict is kept while the host stays the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dockyard.hypervisors.qemu.acceleration import (
    AccelerationChoice,
    AccelerationMode,
    HostIdentity,
    Verdict,
    judge,
    recall,
    remember,
)
from dockyard.hypervisors.qemu.argv import AccelerationKind
from dockyard.model.errors import Exhausted

HOST = HostIdentity(kernel="6.1", boot_id="b1", processor="EPYC", qemu="7.2")
WORKS = Verdict(works=True, evidence="a kernel ran")
HANGS = Verdict(works=False, evidence="no kernel ran")
KERNEL = Path("/boot/vmlinuz")


class FakeProber:
    """A host with a scripted KVM; counts trials."""

    def __init__(self, verdict: Verdict, *, obstacle: str = "") -> None:
        self.verdict = verdict
        self.host = HOST
        self.trials = 0
        self._obstacle = obstacle

    def obstacle(self) -> str:
        return self._obstacle

    def identity(self) -> HostIdentity:
        return self.host

    async def probe(self, *, kernel: Path) -> Verdict:
        self.trials += 1
        return self.verdict


def choice(prober: FakeProber, folder: Path, *, mode: AccelerationMode = AccelerationMode.AUTO) -> AccelerationChoice:
    return AccelerationChoice(mode=mode, verdict_file=folder / "acceleration.json", prober=prober)


async def test_auto_takes_kvm_when_a_kernel_ran_under_it(tmp_path: Path) -> None:
    chosen = await choice(FakeProber(WORKS), tmp_path).choose(kernel=KERNEL)
    assert chosen.kind is AccelerationKind.KVM


async def test_auto_falls_back_and_says_why(tmp_path: Path) -> None:
    chosen = await choice(FakeProber(HANGS), tmp_path).choose(kernel=KERNEL)
    assert chosen.kind is AccelerationKind.TCG
    assert "no kernel ran" in chosen.why


async def test_without_the_device_nothing_is_tried(tmp_path: Path) -> None:
    prober = FakeProber(WORKS, obstacle="there is no /dev/kvm")
    chosen = await choice(prober, tmp_path).choose(kernel=KERNEL)
    assert (chosen.kind, prober.trials) == (AccelerationKind.TCG, 0)
    assert "there is no /dev/kvm" in chosen.why


async def test_tcg_on_demand_tries_nothing(tmp_path: Path) -> None:
    prober = FakeProber(WORKS)
    chosen = await choice(prober, tmp_path, mode=AccelerationMode.TCG).choose(kernel=KERNEL)
    assert (chosen.kind, prober.trials) == (AccelerationKind.TCG, 0)


@pytest.mark.parametrize("prober", [FakeProber(HANGS), FakeProber(WORKS, obstacle="no kernel ran: no device")])
async def test_kvm_on_demand_is_refused_when_it_does_not_work(tmp_path: Path, prober: FakeProber) -> None:
    with pytest.raises(Exhausted, match="No kernel ran") as refusal:
        await choice(prober, tmp_path, mode=AccelerationMode.KVM).choose(kernel=KERNEL)
    assert refusal.value.code == "AccelerationUnavailable"


async def test_a_verdict_outlives_the_server(tmp_path: Path) -> None:
    await choice(FakeProber(HANGS), tmp_path).choose(kernel=KERNEL)
    later = FakeProber(WORKS)
    chosen = await choice(later, tmp_path).choose(kernel=KERNEL)
    assert (chosen.kind, later.trials) == (AccelerationKind.TCG, 0)


@pytest.mark.parametrize("field", ["kernel", "boot_id", "processor", "qemu"])
async def test_a_changed_host_is_tried_anew(tmp_path: Path, field: str) -> None:
    await choice(FakeProber(HANGS), tmp_path).choose(kernel=KERNEL)
    later = FakeProber(WORKS)
    later.host = replace(HOST, **{field: "another"})
    chosen = await choice(later, tmp_path).choose(kernel=KERNEL)
    assert (chosen.kind, later.trials) == (AccelerationKind.KVM, 1)


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", '{"works": true}', "\x00"])
def test_a_spoilt_verdict_is_no_verdict(tmp_path: Path, content: str) -> None:
    (tmp_path / "verdict").write_text(content)
    assert recall(tmp_path / "verdict", identity=HOST) is None


def test_a_verdict_is_recalled_as_it_was_passed(tmp_path: Path) -> None:
    remember(tmp_path / "verdict", identity=HOST, verdict=HANGS)
    assert recall(tmp_path / "verdict", identity=HOST) == HANGS


@pytest.mark.parametrize(
    ("output", "works"),
    [
        ("", False),
        ("Probing EDD (edd=off to disable)... ok", False),
        ("[    0.000000] Linux version 6.12.1", False),
        ("qemu-system-x86_64: error: failed to set MSR 0x10a to 0x69", False),
        ("[ 1.1] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)", True),
    ],
)
def test_only_a_kernel_that_ran_to_its_end_counts(*, output: str, works: bool) -> None:
    assert judge(output).works is works


def test_the_last_sign_of_life_is_told() -> None:
    assert "'Probing EDD'" in judge("SeaBIOS\nProbing EDD\n\n").evidence
