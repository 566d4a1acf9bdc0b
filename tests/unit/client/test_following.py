"""What is told of a machine and its extension that are worked on at once: causes before consequences."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from dockyard.client import following, waiting
from dockyard.client.connection import Connection
from dockyard.client.following import Job
from dockyard.client.names import MachineName
from dockyard.client.progress import StepBoard
from dockyard.model.errors import DockyardError, Exhausted, NotFound
from tests.unit.client.arm_stub import ArmStub


@dataclass
class Scripted:
    """Work that ends in an error after it was asked about a number of times."""

    error: DockyardError
    questions_left: int = 0

    @property
    def is_done(self) -> bool:
        if self.questions_left > 0:
            self.questions_left -= 1
            return False
        return True

    def check(self) -> None:
        if self.questions_left == 0:
            raise self.error


def test_an_extension_lost_with_its_machine_waits_for_the_machine_s_own_reason(
    arm: ArmStub, connection: Connection
) -> None:
    job = Job(
        name=MachineName("dockyard", "web"),
        machine=Scripted(Exhausted("There is no space"), questions_left=3),
        extension=Scripted(NotFound("There is no virtual machine 'web'")),
    )
    with pytest.raises(Exhausted, match="no space"):
        following.follow(connection, job, board=StepBoard(clock=waiting.now), show=lambda: None, deadline=60)
