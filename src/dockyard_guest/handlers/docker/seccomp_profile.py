"""The profile of system calls for containers: what usual programs need, and nothing that containers have broken out by.

Pure. An engine brings a profile of its own, as old as the engine is: those of Debian 12 and 13 let every container
open the kernel's cryptography sockets, the way of CVE-2026-31431 from a container into the machine. This one allows
what today's engines allow (facts: Moby's profile of 2026), names the exceptions by capability, and refuses the families
of sockets no container needs. Called by `plan`; the engine reads the file when it starts.
"""

from __future__ import annotations

from dockyard_contract.documents import dump_json

_ALLOW = "SCMP_ACT_ALLOW"
_REFUSE = "SCMP_ACT_ERRNO"
_EPERM = 1
_ENOSYS = 38

# Families by number, as in the kernel's socket.h. A container must not have these: the kernel's own cryptography, and
# the way to the hypervisor.
_AF_ALG = 38
_AF_NFC = 39
_AF_VSOCK = 40

_NEW_NAMESPACES = 0x7E020000  # the flags of clone that make a namespace
_PERSONALITIES = (0x0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF)  # native and 32-bit Linux, as they are or for old programs

_FILES = """
access chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64
fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync
flock fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futimesat getcwd getdents getdents64
inotify_add_watch inotify_init inotify_init1 inotify_rm_watch ioctl lchown lchown32 link linkat listmount _llseek lseek
lstat lstat64 mkdir mkdirat mknod mknodat name_to_handle_at newfstatat open openat openat2 pipe pipe2 pread64 preadv
preadv2 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv rename renameat renameat2 rmdir sendfile
sendfile64 splice stat stat64 statfs statfs64 statmount statx symlink symlinkat sync sync_file_range syncfs tee truncate
truncate64 umask unlink unlinkat utime utimensat utimensat_time64 utimes vmsplice write writev
"""
_ATTRIBUTES = """
fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr listxattr listxattrat llistxattr lremovexattr
lsetxattr removexattr removexattrat setxattr setxattrat
"""
_MEMORY = """
brk cachestat madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall
mmap mmap2 mprotect mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect process_mrelease
remap_file_pages
"""
_PROCESSES = """
arch_prctl capget capset execve execveat exit exit_group fork getpgid getpgrp getpid getppid getpriority getrlimit
getrusage getsid gettid get_thread_area ioprio_get ioprio_set kill landlock_add_rule landlock_create_ruleset
landlock_restrict_self pause pidfd_open pidfd_send_signal prctl prlimit64 restart_syscall rseq seccomp set_thread_area
set_tid_address setpgid setpriority setrlimit setsid sysinfo tgkill times tkill ugetrlimit uname uretprobe vfork wait4
waitid waitpid
"""
_USERS = """
getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getresgid getresgid32 getresuid getresuid32
getuid getuid32 setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setregid setregid32
setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setuid setuid32
"""
_SCHEDULING = """
futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake get_robust_list getcpu sched_get_priority_max
sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval
sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield
set_robust_list
"""
_SIGNALS = """
rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack signalfd signalfd4 sigprocmask sigreturn
"""
_TIME = """
adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64
clock_nanosleep clock_nanosleep_time64 getitimer gettimeofday nanosleep setitimer time timer_create timer_delete
timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime
timerfd_gettime64 timerfd_settime timerfd_settime64
"""
_WAITING = """
epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2
io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit _newselect poll ppoll
ppoll_time64 pselect6 pselect6_time64 select
"""
_NETWORK = """
accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg recvmmsg_time64 recvmsg
send sendmmsg sendmsg sendto setsockopt shutdown socketcall socketpair
"""
_EXCHANGE = """
ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink
msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget
"""
_RANDOM = "getrandom"
_OF_PROCESSORS = """
arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush modify_ldt riscv_flush_icache riscv_hwprobe
s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr set_tls swapcontext sync_file_range2
"""
_EVERYBODY = (
    *(_FILES, _ATTRIBUTES, _MEMORY, _PROCESSES, _USERS, _SCHEDULING, _SIGNALS, _TIME, _WAITING, _NETWORK, _EXCHANGE),
    *(_RANDOM, _OF_PROCESSORS),
)

# Looking into the memory of other processes: before Linux 4.8 that was a way around this very profile.
_TRACING = "process_vm_readv process_vm_writev ptrace"
_TRACING_SINCE = "4.8"

_BY_CAPABILITY = {
    "CAP_DAC_READ_SEARCH": "open_by_handle_at",
    "CAP_SYS_ADMIN": """
        bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr lsm_list_modules
        lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname
        sethostname setns syslog umount umount2 unshare
    """,
    "CAP_SYS_BOOT": "reboot",
    "CAP_SYS_CHROOT": "chroot",
    "CAP_SYS_MODULE": "delete_module finit_module init_module",
    "CAP_SYS_PACCT": "acct",
    "CAP_SYS_PTRACE": "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace",
    "CAP_SYS_RAWIO": "iopl ioperm",
    "CAP_SYS_TIME": "clock_settime clock_settime64 settimeofday stime",
    "CAP_SYS_TTY_CONFIG": "vhangup",
    "CAP_SYS_NICE": "get_mempolicy mbind set_mempolicy set_mempolicy_home_node",
    "CAP_SYSLOG": "syslog",
    "CAP_BPF": "bpf",
    "CAP_PERFMON": "perf_event_open",
}

_ARCHITECTURES = {
    "X86_64": ("X86", "X32"),
    "AARCH64": ("ARM",),
    "MIPS64": ("MIPS", "MIPS64N32"),
    "MIPS64N32": ("MIPS", "MIPS64"),
    "MIPSEL64": ("MIPSEL", "MIPSEL64N32"),
    "MIPSEL64N32": ("MIPSEL", "MIPSEL64"),
    "S390X": ("S390",),
    "RISCV64": (),
}


def profile_text() -> str:
    """The profile as the engine reads it (``seccomp-profile`` of dockerd 20.10 and later)."""
    return dump_json(
        {
            "defaultAction": _REFUSE,
            "defaultErrnoRet": _EPERM,
            "archMap": [
                {"architecture": f"SCMP_ARCH_{name}", "subArchitectures": [f"SCMP_ARCH_{part}" for part in parts]}
                for name, parts in _ARCHITECTURES.items()
            ],
            "syscalls": [*_for_everybody(), *_sockets(), *_personalities(), *_clones(), *_for_capabilities()],
        }
    )


def _for_everybody() -> list[dict[str, object]]:
    names = sorted({name for group in _EVERYBODY for name in group.split()})
    return [_allowed(names), {**_allowed(_TRACING.split()), "includes": {"minKernel": _TRACING_SINCE}}]


def _sockets() -> list[dict[str, object]]:
    below, between, above = (_AF_ALG, "LT"), (_AF_NFC, "EQ"), (_AF_VSOCK, "GT")
    return [_allowed_with(["socket"], value=value, comparison=word) for value, word in (below, between, above)]


def _personalities() -> list[dict[str, object]]:
    return [_allowed_with(["personality"], value=value, comparison="EQ") for value in _PERSONALITIES]


def _clones() -> list[dict[str, object]]:
    """A process may be begun, but not in new namespaces; where the flags cannot be seen, the call is not there."""
    not_admins = {"caps": ["CAP_SYS_ADMIN"]}
    ibm = ["s390", "s390x"]
    first, second = (
        _allowed_with(["clone"], value=_NEW_NAMESPACES, comparison="MASKED_EQ", index=index) for index in (0, 1)
    )
    return [
        {**first, "excludes": {**not_admins, "arches": ibm}},
        {**second, "includes": {"arches": ibm}, "excludes": not_admins},
        # C libraries fall back to clone when clone3 is not there, and fail when it is refused.
        {"names": ["clone3"], "action": _REFUSE, "errnoRet": _ENOSYS, "excludes": not_admins},
    ]


def _for_capabilities() -> list[dict[str, object]]:
    return [{**_allowed(names.split()), "includes": {"caps": [cap]}} for cap, names in _BY_CAPABILITY.items()]


def _allowed(names: list[str]) -> dict[str, object]:
    return {"names": names, "action": _ALLOW}


def _allowed_with(names: list[str], *, value: int, comparison: str, index: int = 0) -> dict[str, object]:
    argument = {"index": index, "value": value, "op": f"SCMP_CMP_{comparison}"}
    return {**_allowed(names), "args": [argument]}
