"""The step board: what is told of a step at each moment, on a clock that only moves when the test says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dockyard.client.progress import StepBoard, StepLine
from dockyard.client.views import ExtensionView, MachineView, Phase, StageReport, machine

START = datetime(2030, 1, 1, tzinfo=UTC)


class Clock:
    """A clock the test moves."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def view(*steps: tuple[str, str, float]) -> MachineView:
    statuses = [
        {"code": f"Step/{name}/{word}", "time": (START + timedelta(seconds=at)).isoformat()} for name, word, at in steps
    ]
    return machine({"properties": {"instanceView": {"statuses": statuses}}})


def report(phase: Phase, *parts: tuple[str, Phase]) -> ExtensionView:
    stages = tuple(StageReport(name=name, phase=part, message="", at=None) for name, part in parts)
    return ExtensionView(name="DockerExtension", type="t", version="1", phase=phase, message="m", stages=stages)


def line(board: StepBoard, key: str) -> StepLine:
    return next(item for item in board.lines if item.key == key)


def seconds(board: StepBoard, key: str) -> float:
    return line(board, key).seconds(now=board.now)


def test_own_step_is_measured() -> None:
    clock = Clock()
    board = StepBoard(clock=clock)
    board.begin("a", "A")
    clock.pass_(3)
    board.finish("a", message="well")
    clock.pass_(9)
    assert (seconds(board, "a"), line(board, "a").message) == (3, "well")


def test_servers_step_runs_from_start_to_end() -> None:
    board = StepBoard(clock=Clock())
    board.absorb(view(("boot", "running", 4)))
    board.absorb(view(("boot", "done", 16.5)))
    assert (seconds(board, "machine/boot"), line(board, "machine/boot").text) == (12.5, "Boot")


def test_step_seen_only_at_its_end_began_when_the_one_before_ended() -> None:
    board = StepBoard(clock=Clock())
    board.absorb(view(("image", "done", 1), ("disk", "done", 3)))
    assert (seconds(board, "machine/image"), seconds(board, "machine/disk")) == (1, 2)


def test_duration_the_reporter_measured_is_believed() -> None:
    clock = Clock()
    board = StepBoard(clock=clock)
    board.begin("extension", "Docker extension")
    clock.pass_(30)
    stage = StageReport(name="engine", phase=Phase.DONE, message="", at=None, seconds=4.5)
    reported = ExtensionView(name="x", type="t", version="1", phase=Phase.DONE, message="", stages=(stage,))
    board.absorb_extension(reported, key="extension")
    assert seconds(board, "extension/engine") == 4.5


def test_ended_step_stays_as_it_was() -> None:
    board = StepBoard(clock=Clock())
    board.absorb(view(("boot", "done", 2)))
    board.absorb(view(("boot", "running", 8)))
    assert line(board, "machine/boot").phase is Phase.DONE


def test_handlers_parts_follow_one_another() -> None:
    clock = Clock()
    board = StepBoard(clock=clock)
    board.begin("extension", "Docker extension")
    clock.pass_(2)
    board.absorb_extension(report(Phase.RUNNING, ("engine", Phase.RUNNING)), key="extension")
    clock.pass_(5)
    done = (("engine", Phase.DONE), ("compose", Phase.DONE))
    board.absorb_extension(report(Phase.DONE, *done), key="extension")
    assert (seconds(board, "extension/engine"), seconds(board, "extension/compose")) == (5, 0)
    assert line(board, "extension/engine").depth == 1


def test_parts_of_the_run_before_are_not_shown() -> None:
    before = report(Phase.DONE, ("engine", Phase.DONE))
    board = StepBoard(clock=Clock(), stale=before)
    board.begin("extension", "Docker extension")
    board.absorb_extension(report(Phase.RUNNING, ("engine", Phase.DONE)), key="extension")
    assert [item.key for item in board.lines] == ["extension"]
    board.absorb_extension(report(Phase.DONE, ("engine", Phase.DONE)), key="extension")
    assert [item.key for item in board.lines] == ["extension", "extension/engine"]


def test_blame_falls_on_the_innermost_failed_step() -> None:
    board = StepBoard(clock=Clock())
    board.begin("extension", "Docker extension")
    board.begin("other", "Other")
    board.absorb_extension(report(Phase.FAILED, ("engine", Phase.FAILED)), key="extension")
    blamed = board.fail_current("broken")
    assert blamed is not None
    assert blamed.key == "extension/engine"
    assert (line(board, "extension").phase, line(board, "other").phase) == (Phase.FAILED, Phase.WARNING)


def test_blame_falls_on_the_step_at_work_when_none_failed() -> None:
    board = StepBoard(clock=Clock())
    board.absorb(view(("image", "done", 1), ("disk", "running", 1)))
    blamed = board.fail_current("no space")
    assert blamed is not None
    assert (blamed.key, blamed.phase, blamed.message) == ("machine/disk", Phase.FAILED, "no space")


def test_giving_up_blames_nobody() -> None:
    board = StepBoard(clock=Clock())
    board.absorb(view(("image", "done", 1), ("disk", "running", 1)))
    waited_for = board.give_up()
    assert waited_for is not None
    assert waited_for.key == "machine/disk"
    assert [item.phase for item in board.lines] == [Phase.DONE, Phase.WARNING]


def test_nobody_is_to_blame_on_an_empty_board() -> None:
    assert StepBoard(clock=Clock()).fail_current("x") is None
