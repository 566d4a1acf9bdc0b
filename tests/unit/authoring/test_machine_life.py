"""The observing side of a test in a machine: a copy of the package behaves as the original and tells how it went.

The machine is played by the fast runner's stand-in for the agent, in a temporary folder; packages, wrapper and the
program that looks around there are the real ones.
"""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from dockyard.authoring import package as packages
from dockyard.authoring.fast.agent import StandIn
from dockyard.authoring.fast.tenant import Tenant
from dockyard.authoring.judging import judge
from dockyard.authoring.machine import inside
from dockyard.authoring.machine.life import EXTENSION, Life
from dockyard.authoring.machine.observed import observed
from dockyard.authoring.observations import Observations, Place, Step
from dockyard.authoring.package import Package
from dockyard.authoring.rules import Finding, Level, Rule
from dockyard.authoring.settings import settings_of
from dockyard.model.errors import DeadlineExceeded, OperationFailed
from dockyard_contract.environment import Command
from tests.unit.authoring.planted import FINAL, faulty, handler

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
PUBLISHER = "DockyardTest01"
RECORD = "/var/lib/dockyard-observe/record.jsonl"
GIVEN = settings_of({}, None)


class PlayedMachine:
    """See `life.Machine`; the agent's part is played by its rules."""

    def __init__(self, root: Path, package: Package) -> None:
        self.root = root
        self.package = observed(package, publisher=PUBLISHER, record=root / RECORD.lstrip("/"))
        self.agent = StandIn(
            lib=root / "var/lib/waagent",
            logs=root / "var/log/azure",
            handler=self.package.handler,
            tenant=Tenant.new(),
            configuration=EXTENSION if packages.look_at(package).takes_several else None,
        )
        self.version = ""
        self.number = -1
        self.is_enabled = False
        (root / "etc").mkdir(parents=True, exist_ok=True)

    def set(self, *, is_raised: bool, again: bool) -> None:
        old, new = self.version, (self.package.raised() if is_raised else self.package).version
        self.number += 1
        self.version = new
        if new == old:
            assert again
            self._write(new)
        elif old:
            self._change(old, new)
        else:
            self._unpack(new)
            self._run(new, Command.INSTALL)
        self._run(new, Command.ENABLE)

    def remove(self) -> None:
        for command in (Command.DISABLE, Command.UNINSTALL) if self.is_enabled else (Command.UNINSTALL,):
            self._run(self.version, command)
        self.agent.remove(self.version)

    def restart(self) -> None:
        self._run(self.version, Command.ENABLE)

    def restart_agent(self) -> None:
        self._run(self.version, Command.ENABLE)

    def tell(self, verb: str) -> Mapping[str, Any]:
        request: dict[str, object] = {
            "verb": verb,
            "handler": self.package.handler,
            "record": RECORD,
            "hidden": list(GIVEN.hidden),
        }
        answer: Mapping[str, Any] = json.loads(json.dumps(inside.answer(request, self.root)))
        return answer

    def until(self, check: Callable[[], bool], *, what: str, deadline: float) -> None:
        if not check():
            raise DeadlineExceeded(f"Waited for {what}")

    def _change(self, old: str, new: str) -> None:
        self._unpack(new)
        self._run(old, Command.DISABLE)
        self.agent.carry_over(old, new)
        self._run(new, Command.UPDATE)
        self._run(old, Command.UNINSTALL)
        self.agent.remove(old)
        self._run(new, Command.INSTALL)

    def _unpack(self, version: str) -> None:
        self.agent.unpack(version, io.BytesIO(self.package.archive))
        self._write(version)

    def _write(self, version: str) -> None:
        self.agent.settings(version, self.number, GIVEN.public, GIVEN.protected)

    def _run(self, version: str, command: Command) -> None:
        ended = self.agent.run(version, command, self.number)
        self.is_enabled = self.is_enabled or (command is Command.ENABLE and ended.code == 0)
        if ended.code != 0:
            raise OperationFailed(f"{command.value} ended with {ended.code}")


def lead(root: Path, package: Package, *, reboots: bool = True) -> Observations:
    machine = PlayedMachine(root, package)
    seen = packages.look_at(package)
    life = Life(machine, seen, hidden=GIVEN.hidden, patience=1, reboots=reboots, tell_step=lambda _step: None)
    return life.lead()


def rules(findings: list[Finding], level: Level) -> set[Rule]:
    return {finding.rule for finding in findings if finding.level is level}


def test_a_handler_without_a_fault_is_clean_and_measured(tmp_path: Path) -> None:
    seen = lead(tmp_path, handler())
    assert judge(seen) == []
    ran = [(item.step, item.command, item.version, item.sequence_number) for item in seen.executions]
    assert ran == [
        (Step.FIRST, Command.INSTALL, "1.0.0", 0),
        (Step.FIRST, Command.ENABLE, "1.0.0", 0),
        (Step.AGAIN, Command.ENABLE, "1.0.0", 0),
        (Step.SETTINGS, Command.ENABLE, "1.0.0", 1),
        (Step.UPDATE, Command.DISABLE, "1.0.0", 2),
        (Step.UPDATE, Command.UPDATE, "1.1.0", 2),
        (Step.UPDATE, Command.UNINSTALL, "1.0.0", 2),
        (Step.UPDATE, Command.INSTALL, "1.1.0", 2),
        (Step.UPDATE, Command.ENABLE, "1.1.0", 2),
        (Step.REBOOT, Command.ENABLE, "1.1.0", 2),
        (Step.REMOVAL, Command.DISABLE, "1.1.0", 2),
        (Step.REMOVAL, Command.UNINSTALL, "1.1.0", 2),
    ]
    assert all(item.seconds > 0 and item.cpu_seconds is not None for item in seen.executions)
    assert all((item.memory_kib or 0) > 500 for item in seen.executions)
    assert [item.has_settings for item in seen.executions if item.command is Command.DISABLE] == [False, True]
    assert all(GIVEN.hidden[0] not in str(item) for item in (*seen.statuses, *seen.executions))


def test_without_a_reboot_that_step_is_left_out(tmp_path: Path) -> None:
    assert Step.REBOOT not in {item.step for item in lead(tmp_path, handler(), reboots=False).executions}


def test_several_named_configurations_are_looked_at_by_their_names(tmp_path: Path) -> None:
    body = "n=$ConfigExtensionName.$n; say success fine"
    seen = lead(tmp_path, handler(enable=body, manifest={"supportsMultipleExtensions": True}))
    assert judge(seen) == []
    assert all(status.text for status in seen.statuses)


@pytest.mark.parametrize(
    ("verbs", "rule"),
    [
        ({"enable": f"echo working; {FINAL}; exit 7"}, Rule.EXIT_CODE),
        ({"install": "exit 52"}, Rule.EXIT_CODE),
        ({"enable": f"secret >&2; {FINAL}"}, Rule.SECRET),
        ({"enable": f"secret > ../../../log/azure/{PUBLISHER}.Planted/own.log; {FINAL}"}, Rule.SECRET),
        ({"enable": 'say success "$(secret)"'}, Rule.SECRET),
        ({"enable": "true"}, Rule.STATUS_MISSING),
        ({"enable": "say failed oh"}, Rule.STATUS_WORD),
        ({"enable": "say error 'no disk'"}, Rule.STATUS_ERROR),
        ({"disable": "test -e config/$n.settings"}, Rule.NEEDS_SETTINGS),
    ],
)
def test_a_fault_is_found_by_its_rule(verbs: dict[str, str], rule: Rule, tmp_path: Path) -> None:
    found = judge(lead(tmp_path, faulty(verbs), reboots=False))
    assert rule in rules(found, Level.ERROR)
    assert Rule.ORDER not in rules(found, Level.ERROR)


def test_what_stays_after_uninstall_is_named(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/known.conf").write_text("as it was\n")
    leave = (
        "cd ../../../../etc; echo mine > mine.conf; echo x >> known.conf; cd -; secret > ../../../../etc/secret.conf"
    )
    seen = lead(tmp_path, handler(install=leave), reboots=False)
    assert {(left.kind.value, left.name) for left in seen.leftovers} == {
        ("file", "/etc/mine.conf"),
        ("file", "/etc/secret.conf"),
        ("changed file", "/etc/known.conf"),
    }
    assert (Place.LEFT, "/etc/secret.conf") in {(sighting.place, sighting.where) for sighting in seen.sightings}


def test_an_ending_by_a_signal_is_the_agents_to_see(tmp_path: Path) -> None:
    machine = PlayedMachine(tmp_path, handler(enable="kill -KILL $$"))
    with pytest.raises(OperationFailed, match="137"):
        machine.set(is_raised=False, again=False)
    assert [item["code"] for item in machine.tell("look")["records"] if item["event"] == "end"] == [0, 137]


def test_the_copy_keeps_what_the_manifest_says_besides(tmp_path: Path) -> None:
    original = handler(manifest={"reportHeartbeat": True, "updateMode": "UpdateWithoutInstall"})
    copy = observed(original, publisher=PUBLISHER, record=tmp_path / "record")
    assert copy.handler == f"{PUBLISHER}.Planted"
    looked, before = packages.look_at(copy), packages.look_at(original)
    assert packages.can_run(looked)
    assert (looked.reports_heartbeat, looked.runs_install_on_update) == (True, False)
    with zipfile.ZipFile(io.BytesIO(copy.archive)) as archive:
        told = json.loads(archive.read("dockyard-observe.json"))["commands"]
    assert told == {command.value: text for command, text in before.commands.items()}
