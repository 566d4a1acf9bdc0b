"""A handler without a fault is found clean, and each planted fault is found by its rule and no other's error."""

from __future__ import annotations

import shutil

import pytest

from dockyard.authoring import package as packages
from dockyard.authoring.fast.inside import lead_here
from dockyard.authoring.fast.request import Request
from dockyard.authoring.fast.runner import FastOptions, run
from dockyard.authoring.judging import has_errors, judge
from dockyard.authoring.observations import Observations, Step
from dockyard.authoring.package import Package
from dockyard.authoring.rules import Finding, Level, Rule
from dockyard.authoring.settings import settings_of
from tests.unit.authoring.planted import FINAL, faulty, handler, zipped

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
LONG = "$(head -c 5000 /dev/zero | tr '\\0' x)"


def led(package: Package, *, patience: float = 0.2, limit: float | None = None) -> Observations:
    request = Request(
        handler=package.handler,
        version=package.version,
        archive=package.archive,
        given=settings_of({}, None),
        patience=patience,
        limit=limit,
        scratch="",
    )
    return lead_here(request)


def found(package: Package, *, limit: float | None = None) -> list[Finding]:
    return judge(led(package, limit=limit))


def rules(findings: list[Finding], level: Level) -> set[Rule]:
    return {finding.rule for finding in findings if finding.level is level}


def test_a_handler_without_a_fault_is_clean() -> None:
    seen = led(handler())
    assert judge(seen) == []
    assert seen.sightings == ()
    assert len(seen.executions) == 20


def test_work_in_the_background_is_no_fault() -> None:
    work = f"[ -e status/$n.status ] && exit 0; say transitioning wait; (sleep 0.05; {FINAL}) &"
    assert found(handler(enable=work)) == []


def test_several_named_configurations_are_no_fault() -> None:
    several = {"supportsMultipleExtensions": True}
    body = "n=$ConfigExtensionName.$n; say success fine"
    assert found(handler(enable=body, manifest=several)) == []


@pytest.mark.parametrize(
    ("rule", "verbs"),
    [
        (Rule.EXIT_CODE, {"enable": "say error no; exit 52"}),
        (Rule.EXIT_CODE, {"update": "exit 53"}),
        (Rule.NEEDS_SETTINGS, {"disable": "cat config/$n.settings || exit 53"}),
        (Rule.NEEDS_SETTINGS, {"uninstall": "cat config/$n.settings || exit 53"}),
        (Rule.STATUS_MISSING, {"enable": ":"}),
        (Rule.STATUS_MISSING, {"enable": f"(sleep 0.05; {FINAL}) &"}),
        (Rule.STATUS_NAME, {"enable": "n=status; say success fine"}),
        (Rule.STATUS_NAME, {"enable": "n=$((n + 1)); say success fine"}),
        (Rule.STATUS_MALFORMED, {"enable": "echo '{\"status\"' > .new; mv .new status/$n.status"}),
        (Rule.STATUS_MALFORMED, {"enable": "echo '[{\"status\": {}}]' > .new; mv .new status/$n.status"}),
        (Rule.STATUS_MALFORMED, {"enable": "echo '[]' > .new; mv .new status/$n.status"}),
        (Rule.STATUS_WORD, {"enable": "say failed oh"}),
        (Rule.STATUS_NEVER_FINAL, {"enable": "say transitioning wait"}),
        (Rule.SECRET, {"enable": f"secret; {FINAL}"}),
        (Rule.SECRET, {"enable": 'say success "$(secret)"'}),
        (Rule.SECRET, {"enable": f'sh -c "sleep 0.2; :" "$(secret)"; {FINAL}'}),
        (Rule.OUTPUT, {"install": "head -c 10000000 /dev/zero"}),
        (Rule.LEFT, {"enable": f"{FINAL}; setsid sleep 60 &"}),
    ],
)
def test_a_planted_fault_is_an_error_of_its_rule(rule: Rule, verbs: dict[str, str]) -> None:
    level = Level.WARNING if verbs == {"enable": "say error no; exit 52"} else Level.ERROR
    findings = found(faulty(verbs))
    assert rules(findings, level) - {Rule.STATUS_ERROR} == {rule}, findings


def test_a_secret_in_a_log_is_found() -> None:
    logs = '$(sed -n \'s/.*"logFolder": *"\\([^"]*\\)".*/\\1/p\' HandlerEnvironment.json)'
    (finding,) = found(handler(enable=f'secret > "{logs}/handler.log"; {FINAL}'))[:1]
    assert finding.rule is Rule.SECRET
    assert "handler.log" in finding.message


def test_no_secret_stands_in_what_was_seen() -> None:
    seen = led(handler(enable='secret; say success "$(secret)"'))
    assert "canary-" not in repr(seen)


@pytest.mark.parametrize(
    ("rule", "verbs"),
    [
        (Rule.STATUS_IN_PLACE, {"enable": "document success fine > status/$n.status"}),
        (Rule.STATUS_SIZE, {"enable": f"say success {LONG}"}),
        (Rule.STATUS_ERROR, {"enable": "say error no"}),
        (Rule.OUTPUT, {"enable": f"head -c 300000 /dev/zero; {FINAL}"}),
        (Rule.PROCESS_STAYS, {"enable": f"{FINAL}; sleep 60 & echo $! > pid", "disable": "kill $(cat pid)"}),
        (Rule.EXIT_CODE_MEANING, {"enable": "say error no; exit 1"}),
    ],
)
def test_a_planted_weakness_is_a_warning_of_its_rule(rule: Rule, verbs: dict[str, str]) -> None:
    findings = found(faulty(verbs))
    assert rule in rules(findings, Level.WARNING), findings


def test_a_repeat_that_replaces_the_final_status_is_found() -> None:
    again = f"if [ -e status/$n.status ]; then say transitioning again; (sleep 0.05; {FINAL}) & else {FINAL}; fi"
    assert Rule.STATUS_OVERWRITTEN in rules(found(handler(enable=again)), Level.WARNING)


def test_a_number_that_is_not_kept_is_a_note() -> None:
    assert rules(found(handler(enable=f"rm mrseq; {FINAL}")), Level.NOTE) == {Rule.NUMBER_NOT_KEPT}


def test_a_heartbeat_that_is_promised_must_be_there() -> None:
    promised = {"reportHeartbeat": True}
    assert rules(found(handler(manifest=promised)), Level.ERROR) == {Rule.HEARTBEAT}
    assert rules(found(handler(manifest=promised, enable=f"echo '{{}}' > heartbeat.log; {FINAL}")), Level.ERROR) == {
        Rule.HEARTBEAT
    }


def test_a_command_is_killed_with_its_group_at_the_limit() -> None:
    seen = led(handler(install="sleep 30 & sleep 30"), limit=1)
    assert rules(judge(seen), Level.ERROR) == {Rule.TIME_LIMIT}
    assert [(item.step, item.exit_code) for item in seen.executions] == [(Step.FIRST, None)]
    assert not [left for left in seen.leftovers if "sleep" in left.name]


def test_after_a_failed_install_the_agent_runs_nothing_more() -> None:
    seen = led(handler(install="exit 53"))
    assert [item.command.value for item in seen.executions] == ["install"]
    assert has_errors(judge(seen))


def test_a_failed_disable_ends_a_change_of_version_unless_the_manifest_says_otherwise() -> None:
    stopped = led(handler(disable="exit 53"))
    went_on = led(handler(disable="exit 53", manifest={"continueOnUpdateFailure": True}))
    ran = [[item.command.value for item in seen.executions if item.step is Step.UPDATE] for seen in (stopped, went_on)]
    assert ran == [["disable"], ["disable", "update", "uninstall", "install", "enable"]]


def test_the_way_down_runs_the_newer_versions_update_with_its_target_told_twice() -> None:
    told = 'echo "$AZURE_GUEST_AGENT_EXTENSION_VERSION $VERSION $AZURE_GUEST_AGENT_UPDATING_FROM_VERSION"'
    seen = led(handler(update=told))
    updates = [item.tail for item in seen.executions if item.command.value == "update"]
    assert updates == ["1.1.0 1.1.0 1.0.0", "1.1.0 1.0.0 1.0.0"]


@pytest.mark.parametrize(
    ("rule", "package"),
    [
        (Rule.MANIFEST, zipped({"bin/run": ""})),
        (Rule.MANIFEST, zipped({"HandlerManifest.json": "[{}]"})),
        (Rule.HANDLER_NAME, handler(name="Contoso.Bad-Name")),
        (Rule.COMMAND_MISSING, handler(commands={"updateCommand": None})),
        (Rule.COMMAND_NOT_FOUND, handler(commands={"enableCommand": "python3 main.py"})),
    ],
)
def test_a_package_that_the_agent_cannot_use_is_told_without_running_it(rule: Rule, package: Package) -> None:
    seen = Observations(runner=led(handler()).runner, package=packages.look_at(package))
    assert rules(judge(seen), Level.ERROR) == {rule}
    if rule is not Rule.HANDLER_NAME:
        assert run(package, settings_of({}, None), FastOptions(isolate=False)).executions == ()
