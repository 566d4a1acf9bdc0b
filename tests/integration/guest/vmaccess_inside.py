"""Runs inside a namespace: the VMAccess package with real users, real passwords and a real sshd on copies of /etc."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dockyard.client import users, waiting
from dockyard_guest.errors import PermanentError
from dockyard_guest.system.accounts import SystemAccounts
from dockyard_guest.values import Account
from tests.integration.guest.agent import Agent

V = "1.6.0"
NAME = "Microsoft.OSTCExtensions.VMAccessForLinux"
CANARY = "canary-Passw0rd:52d1"
FOLDERS = ("/run", "/home", "/var/lib", "/var/mail", "/usr/local/sbin", "/usr/local/bin")
KEYS = Path("/home/bob/.ssh/authorized_keys")
CONFIG = Path("/etc/ssh/sshd_config")
DROP_INS = Path("/etc/ssh/sshd_config.d")
PORT = "2222"
ROUNDS = 1000
LIBC = ctypes.CDLL(None, use_errno=True)
AT_FDCWD = -100
RENAME_EXCHANGE = 2


def run(*argv: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False, timeout=60)


def make_key(name: str, kind: str) -> str:
    run("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", name, "-f", f"/run/{name}")
    return Path(f"/run/{name}.pub").read_text().strip()


def log_in(user: str, key: str) -> tuple[int, str]:
    """Log in by a key at a server started with what is in the files now; -1 when it does not start."""
    with subprocess.Popen(
        ["/usr/local/sbin/sshd", "-D", "-e", "-p", PORT], stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    ) as server:
        try:
            if not waiting.until(lambda: _answers(server), what="sshd", deadline=30, every=0.05):
                return -1, ""
            quiet = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
            argv = ["ssh", "-F", "none", *quiet, "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-p", PORT]
            done = run(*argv, "-i", f"/run/{key}", f"{user}@127.0.0.1", "id -un")
        finally:
            server.terminate()
        return done.returncode, done.stdout.strip()


def _answers(server: subprocess.Popen[bytes]) -> int | None:
    """1 when it does, 0 when it has ended, none when it may yet come."""
    if server.poll() is not None:
        return 0
    with socket.socket() as client:
        return 1 if client.connect_ex(("127.0.0.1", int(PORT))) == 0 else None


def effective(user: str, keyword: str) -> str:
    told = run("/usr/local/sbin/sshd", "-T", "-C", f"user={user},host=localhost,addr=127.0.0.1")
    return next((line for line in told.stdout.splitlines() if line.startswith(f"{keyword} ")), told.stderr)


class Stories:
    """One machine; each story is a sequence number of its own, or several."""

    def __init__(self, agent: Agent, scratch: Path) -> None:
        self.agent = agent
        self.scratch = scratch
        self.number = -1

    def ask(self, protected: object = None, public: object = None) -> dict[str, Any]:
        self.number += 1
        self.agent.settings(V, self.number, public, protected)
        self.agent.run(V, "enable", self.number)
        status = self.agent.final(V, self.number)
        steps = {step["name"]: step["formattedMessage"]["message"] for step in status.get("substatus", ())}
        return {"word": status["status"], "text": status["formattedMessage"]["message"], "steps": steps}

    def new_user(self) -> dict[str, Any]:
        told = self.ask({"username": "bob", "ssh_key": make_key("first", "ed25519")})
        return {
            **told,
            "login": log_in("bob", "first"),
            "modes": [oct(path.stat().st_mode & 0o777) for path in (KEYS, KEYS.parent)],
            "owner": [path.owner() for path in (KEYS, KEYS.parent)],
            "passwd": run("getent", "passwd", "bob").stdout.strip(),
        }

    def kinds(self) -> dict[str, Any]:
        keys = [make_key(f"kind-{kind}", kind) for kind in ("rsa", "ecdsa")]
        rfc4716 = run("ssh-keygen", "-e", "-m", "RFC4716", "-f", "/run/kind-rsa.pub").stdout
        pem = run("ssh-keygen", "-e", "-m", "PKCS8", "-f", "/run/kind-ecdsa.pub").stdout
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "/run/cert.key", "-subj", "/CN=x",
            "-out", "/run/cert.pem")  # fmt: skip
        told = self.ask({"username": "bob", "ssh_key": [rfc4716, pem, Path("/run/cert.pem").read_text()]})
        written = [line.split()[:2] for line in KEYS.read_text().splitlines()]
        run("chmod", "600", "/run/cert.key")
        own = run("ssh-keygen", "-y", "-f", "/run/cert.key").stdout.split()[:2]
        found = [key.split()[:2] in written for key in keys] + [own in written]
        logins = [log_in("bob", name) for name in ("first", "kind-rsa", "kind-ecdsa", "cert.key")]
        return {**told, "found": found, "logins": logins}

    def again(self) -> dict[str, Any]:
        before = (KEYS.read_bytes(), KEYS.stat().st_ino)
        told = self.ask({"username": "bob", "ssh_key": Path("/run/first.pub").read_text()})
        return {**told, "same": before == (KEYS.read_bytes(), KEYS.stat().st_ino)}

    def no_final_newline(self) -> dict[str, Any]:
        KEYS.write_text(Path("/run/first.pub").read_text().strip())
        told = self.ask({"username": "bob", "ssh_key": Path("/run/kind-rsa.pub").read_text()})
        return {**told, "logins": [log_in("bob", name) for name in ("first", "kind-rsa", "kind-ecdsa")]}

    def only_key(self) -> dict[str, Any]:
        told = self.ask({"username": "bob", "ssh_key": make_key("only", "ed25519"), "remove_prior_keys": "true"})
        return {**told, "logins": [log_in("bob", name) for name in ("only", "first")]}

    def password(self) -> dict[str, Any]:
        told = self.ask({"username": "bob", "password": CANARY})
        hashed = next(line for line in Path("/etc/shadow").read_text().splitlines() if line.startswith("bob:"))
        salt = hashed.split(":")[1].split("$")[2]
        own = run("openssl", "passwd", "-6", "-salt", salt, "-stdin", stdin=f"{CANARY}\n").stdout.strip()
        texts = [path.read_text(errors="replace") for path in self.scratch.rglob("*") if path.is_file()]
        settings = self.agent.folder(V) / f"config/{self.number}.settings"
        return {
            **told,
            "is_set": hashed.split(":")[1] == own,
            "others": [effective(name, "passwordauthentication") for name in ("bob", "carol", "root")],
            "leaks": sum(CANARY in text for text in texts),
            "settings": json.loads(settings.read_text())["runtimeSettings"][0]["handlerSettings"],
        }

    def listed(self) -> list[dict[str, object]]:
        """What a machine tells of its users to whom asks from outside."""
        told = run("sh", "-c", users.LIST_SCRIPT)
        return [user.document() for user in users.parse_users(told.stdout)]

    def expiry(self) -> dict[str, Any]:
        told = self.ask({"username": "bob", "expiration": "2031-02-03"})
        shown = run("chage", "-l", "bob").stdout
        over = self.ask({"username": "bob", "expiration": "2020-01-01"})
        never = self.ask({"username": "bob", "expiration": "never"})
        return {"told": told, "shown": shown, "over": over, "never": never, "after": run("chage", "-l", "bob").stdout}

    def broken_server(self) -> dict[str, Any]:
        """Everything that keeps people out at once, then one new key."""
        mine = "# mine\nPort 22\n"
        CONFIG.write_text(f"Include {DROP_INS}/*.conf\n{mine}")
        (DROP_INS / "10-broken.conf").write_text("Bogus yes\n")
        for path in CONFIG.parent.glob("ssh_host_*"):
            path.unlink()
        KEYS.unlink()
        refused = log_in("bob", "first")[0]
        told = self.ask({"username": "bob", "ssh_key": Path("/run/first.pub").read_text()})
        return {
            **told,
            "refused": refused,
            "login": log_in("bob", "first"),
            "main": CONFIG.read_text(),
            "drop_ins": sorted(path.name for path in DROP_INS.iterdir()),
        }

    def locked_out(self) -> dict[str, Any]:
        """A configuration that is valid and lets nobody in is told, and reset when that is asked for."""
        before = CONFIG.read_text()
        (DROP_INS / "20-locked.conf").write_text("PubkeyAuthentication no\nAllowUsers carol\n")
        (DROP_INS / "50-harmless.conf").write_text("X11Forwarding no\n")
        told = self.ask({"username": "bob", "ssh_key": Path("/run/first.pub").read_text()})
        reset = self.ask({"reset_ssh": True})
        login = log_in("bob", "first")
        again = self.ask({"reset_ssh": "True"})
        drop_ins = sorted(path.name for path in DROP_INS.iterdir())
        restored = self.ask({"restore_backup_ssh": True})
        return {
            "told": told,
            "reset": reset,
            "login": login,
            "again": again,
            "drop_ins": drop_ins,
            "restored": restored,
            "is_back": CONFIG.read_text() == before,
        }

    def planted(self) -> dict[str, Any]:
        """Links in the place of the file, of the folder and of the home."""
        victim = Path("/run/victim")
        victim.mkdir()
        (victim / "authorized_keys").write_text("secret of root\n")
        key = Path("/run/first.pub").read_text()
        told = {}
        KEYS.unlink()
        KEYS.symlink_to(victim / "authorized_keys")
        told["file"] = self.ask({"username": "bob", "ssh_key": key})
        KEYS.unlink()
        KEYS.parent.rename("/home/bob/kept")
        KEYS.parent.symlink_to(victim)
        told["folder"] = self.ask({"username": "bob", "ssh_key": key, "remove_prior_keys": True})
        KEYS.parent.unlink()
        Path("/home/bob/kept").rename(KEYS.parent)
        run("mkfifo", str(KEYS))
        told["pipe"] = self.ask({"username": "bob", "ssh_key": key})
        KEYS.unlink()
        shutil.copy(victim / "authorized_keys", KEYS)
        KEYS.chmod(0o600)
        told["of_root"] = self.ask({"username": "bob", "ssh_key": key})
        replaced = self.ask({"username": "bob", "ssh_key": key, "remove_prior_keys": True})
        untouched = [path.name for path in victim.iterdir()], (victim / "authorized_keys").read_text()
        return {**told, "replaced": replaced, "keys": KEYS.read_text(), "key": key, "untouched": untouched}

    def race(self) -> dict[str, Any]:
        """A user who swaps file and folder for links and for root's own, while root writes 1,000 times."""
        home, victim, of_root = Path("/home/bob"), Path("/run/victim"), Path("/home/bob/of_root")
        of_root.mkdir()
        for folder in (victim, of_root):
            (folder / "authorized_keys").write_text("secret of root\n")
            (folder / "authorized_keys").chmod(0o600)
        bob = SystemAccounts().find("bob")
        assert bob is not None
        ways = (lambda: swap_folder(home, victim=victim, of_root=of_root), lambda: swap_file(home, victim=victim))
        swappers = [begin_as(bob, way) for way in ways]
        begun = time.monotonic()
        told = write_often(bob)
        told["seconds"] = time.monotonic() - begun
        for swapper in swappers:
            os.kill(swapper, signal.SIGKILL)
            os.waitpid(swapper, 0)
        written = [
            sorted(path.name for path in victim.iterdir()),
            (victim / "authorized_keys").read_text(),
            [
                path.read_text()
                for path in home.rglob("authorized_keys")
                if not path.is_symlink() and path.owner() == "root"
            ],
        ]
        return {**told, "victims": written}

    def refused(self) -> dict[str, Any]:
        asked = {
            "root": {"username": "root", "password": CANARY},
            "removing root": {"remove_user": "root"},
            "a daemon": {"remove_user": "daemon"},
            "unknown": {"username": "bob", "pasword": CANARY},
            "alone": {"username": "bob"},
            "nobody": {"username": "nobody", "ssh_key": Path("/run/first.pub").read_text()},
        }
        return {name: self.ask(protected) for name, protected in asked.items()}

    def removal(self) -> dict[str, Any]:
        with subprocess.Popen(["setpriv", "--reuid=bob", "--regid=bob", "--init-groups", "sleep", "600"]) as process:
            proc = f"/proc/{process.pid}"
            waiting.until(lambda: Path(proc).owner() == "bob" or None, what="it", deadline=10, every=0.05)
            told = self.ask({"remove_user": "bob"})
            code = process.wait(timeout=10)
        rule = (DROP_INS / "00-vmaccess-bob.conf").exists()
        there = run("getent", "passwd", "bob").returncode == 0
        return {**told, "code": code, "there": there, "home": Path("/home/bob").exists(), "rule": rule}


def begin_as(account: Account, work: Callable[[], None]) -> int:
    """Start a process of a user's; answers its number."""
    number = os.fork()
    if number:
        return number
    os.setgid(account.gid)
    os.setuid(account.uid)
    try:
        work()
    finally:
        os._exit(1)


def exchange(one: Path | str, two: Path | str) -> bool:
    """Swap two names at once, so that neither is ever missing."""
    done: int = LIBC.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(two), RENAME_EXCHANGE)
    return done == 0


def swap_folder(home: Path, *, victim: Path, of_root: Path) -> None:
    """Have the folder of keys be a link, or a folder of root's, now and then."""
    folder, link = home / ".ssh", home / "link"
    link.symlink_to(victim)
    while True:
        for planted in (link, of_root):
            exchange(folder, planted)
            exchange(folder, planted)


def swap_file(home: Path, *, victim: Path) -> None:
    """Have the file of keys be a link now and then, wherever its folder is at the moment."""
    os.chdir(home / ".ssh")
    while True:
        with contextlib.suppress(OSError):
            Path("other").unlink()
        with contextlib.suppress(OSError):
            Path("other").symlink_to(victim / "authorized_keys")
        for _ in range(100):
            exchange("authorized_keys", "other")


def write_often(account: Account) -> dict[str, Any]:
    """Write a file 1,000 times; what was seen in it, how often it went well, and why not."""
    accounts, seen, refusals = SystemAccounts(), set(), set()
    written = 0

    def change(existing: bytes) -> bytes:
        seen.add(existing.decode())
        return b"key %d\n" % (written % 2)

    for _ in range(ROUNDS):
        try:
            accounts.rewrite(account, ".ssh/authorized_keys", change=change)
            written += 1
        except PermanentError as error:
            refusals.add(str(error))
    return {"seen": sorted(seen), "written": written, "refusals": sorted(refusals)}


def furnish(server: Path) -> None:
    """Make this namespace a machine whose users and SSH server are its own."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    shutil.copytree("/etc", "/run/etc", symlinks=True, ignore_dangling_symlinks=True)
    subprocess.run(["mount", "--bind", "/run/etc", "/etc"], check=True)
    for mounted in FOLDERS[1:]:
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", mounted], check=True)
    Path("/usr/local/sbin/python3").symlink_to(Path(sys.executable).resolve())
    Path("/usr/local/sbin/sshd").symlink_to(server / "usr/sbin/sshd")
    shutil.rmtree("/etc/ssh", ignore_errors=True)
    DROP_INS.mkdir(parents=True)
    shutil.copy(server / "etc/pam.d/sshd", "/etc/pam.d/sshd")
    if run("getent", "passwd", "sshd").returncode:
        subprocess.run(["useradd", "--system", "--home-dir", "/run/sshd", "sshd"], check=True)
    Path("/etc/ld.so.conf.d/server.conf").write_text(
        "".join(f"{path.parent}\n" for path in server.rglob("libwrap.so.0"))
    )
    subprocess.run(["ldconfig"], check=True)
    Path("/var/lib/waagent").mkdir(mode=0o700)


def main(package: str, folder: str, server: str) -> dict[str, Any]:
    """All stories, on one machine."""
    furnish(Path(server))
    agent = Agent(Path(folder), package=Path(package), name=NAME)
    agent.unpack(V)
    agent.run(V, "install", 0)
    stories = Stories(agent, Path(folder))
    names = ("new_user", "kinds", "again", "no_final_newline", "only_key", "password", "listed", "expiry")
    more = ("broken_server", "locked_out", "planted", "race", "refused", "removal")
    return {name: getattr(stories, name)() for name in (*names, *more)}


if __name__ == "__main__":
    told = main(sys.argv[1], sys.argv[2], sys.argv[3])
    sys.stdout.write(json.dumps(told))
