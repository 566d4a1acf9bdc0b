"""The profile of system calls: what containers may do, must not do, and may do with a capability alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dockyard_guest.handlers.docker.seccomp_profile import profile_text

PROFILE: dict[str, Any] = json.loads(profile_text())
RULES: list[dict[str, Any]] = PROFILE["syscalls"]
# What kernels offer and containers have no use for, by Docker's own documentation of its profile.
DANGEROUS = """
_sysctl acct add_key bpf clock_settime create_module delete_module finit_module get_kernel_syms init_module
io_uring_enter io_uring_register io_uring_setup ioperm iopl kcmp kexec_file_load kexec_load keyctl lookup_dcookie mbind
mount move_mount move_pages nfsservctl open_by_handle_at perf_event_open pivot_root query_module quotactl reboot
request_key set_mempolicy setns settimeofday swapoff swapon sysfs umount umount2 unshare userfaultfd ustat vm86
"""
USUAL = "read write openat execve mmap futex clock_gettime epoll_wait sendmsg getrandom rt_sigaction kill chown"


def allowed(name: str, *, capability: str = "", argument: int | None = None) -> bool:
    """Whether a process with a capability may make a call, on x86 and a current kernel, by the engine's own rules."""
    return any(
        rule["action"] == "SCMP_ACT_ALLOW" and _concerns(rule, capability) and _fits(rule, argument)
        for rule in RULES
        if name in rule["names"]
    )


def _concerns(rule: dict[str, Any], capability: str) -> bool:
    wanted = rule.get("includes", {})
    if "arches" in wanted or ("caps" in wanted and capability not in wanted["caps"]):
        return False
    return capability not in rule.get("excludes", {}).get("caps", ())


def _fits(rule: dict[str, Any], argument: int | None) -> bool:
    for condition in rule.get("args", ()):
        value = argument or 0
        limit = condition["value"]
        fits = {"LT": value < limit, "EQ": value == limit, "GT": value > limit, "MASKED_EQ": value & limit == 0}
        if not fits[condition["op"].removeprefix("SCMP_CMP_")]:
            return False
    return True


@pytest.mark.parametrize("name", USUAL.split())
def test_usual_calls_are_allowed(name: str) -> None:
    assert allowed(name)


@pytest.mark.parametrize("name", DANGEROUS.split())
def test_dangerous_calls_are_refused(name: str) -> None:
    assert PROFILE["defaultAction"] == "SCMP_ACT_ERRNO"
    assert not allowed(name)


@pytest.mark.parametrize(("family", "may"), [(1, True), (2, True), (10, True), (16, True), (17, True), (39, True)])
def test_families_of_sockets_that_containers_use(family: int, may: bool) -> None:
    assert allowed("socket", argument=family) is may


@pytest.mark.parametrize("family", [38, 40], ids=["the kernel's cryptography", "the hypervisor"])
def test_families_of_sockets_that_lead_out(family: int) -> None:
    assert not allowed("socket", argument=family)


@pytest.mark.parametrize("flag", [0x10000000, 0x20000, 0x02000000, 0x04000000, 0x08000000, 0x20000000, 0x40000000])
def test_a_process_is_not_begun_in_new_namespaces(flag: int) -> None:
    assert not allowed("clone", argument=flag | 17)
    assert allowed("clone", argument=0x01000000 | 17)


@pytest.mark.parametrize(
    ("name", "capability"),
    [
        ("mount", "CAP_SYS_ADMIN"),
        ("clone", "CAP_SYS_ADMIN"),
        ("chroot", "CAP_SYS_CHROOT"),
        ("settimeofday", "CAP_SYS_TIME"),
        ("init_module", "CAP_SYS_MODULE"),
        ("bpf", "CAP_BPF"),
    ],
)
def test_a_capability_brings_its_calls(name: str, capability: str) -> None:
    assert allowed(name, capability=capability)


def test_the_newest_way_to_begin_a_process_is_told_to_be_missing() -> None:
    (rule,) = (rule for rule in RULES if rule["names"] == ["clone3"] and rule["action"] != "SCMP_ACT_ALLOW")
    assert rule["errnoRet"] == 38


def test_no_call_stands_twice_among_those_for_everybody() -> None:
    names = RULES[0]["names"]
    assert sorted(set(names)) == names
