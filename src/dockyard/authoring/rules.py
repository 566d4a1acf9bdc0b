"""The rules a handler is judged by, each with its source in the agent's behaviour and what to do about a breach.

Sources name the part of docs/reference/extension-rules.md that tells what WALinuxAgent 2.12 does. Used by ``judging``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    """How bad a finding is; an error makes the command end with 1."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Law:
    """A rule's name, the part of the rules' page that it is from, and the cure."""

    name: str
    source: str
    cure: str


class Rule(Enum):
    """Every rule there is."""

    MANIFEST = Law("manifest", "package", "Put a HandlerManifest.json with handlerManifest into the package's root.")
    HANDLER_NAME = Law("handler-name", "package", "Name it Publisher.Type, without a hyphen.")
    COMMAND_MISSING = Law(
        "command-missing", "manifest", "Give all five commands; one may be a program that ends at once."
    )
    COMMAND_NOT_FOUND = Law(
        "command-not-found", "manifest", "Begin each command with an executable of the package, such as bin/handler."
    )
    ORDER = Law("order", "life-cycle", "Look into the agent's log for why it did not run the commands as usual.")
    EXIT_CODE = Law("exit-code", "exit-codes", "End with 0 once the command did its part; read its output above.")
    EXIT_CODE_MEANING = Law(
        "exit-code-meaning",
        "exit-codes",
        "End with 51 (system not supported), 52 (something is missing) or 53 (bad settings) where one fits.",
    )
    NEEDS_SETTINGS = Law(
        "needs-settings",
        "life-cycle",
        "Do without settings in disable and uninstall: on a change of version there are none for their number.",
    )
    TIME_LIMIT = Law("time-limit", "time-limits", "Do the work in the background, and report transitioning meanwhile.")
    SLOW = Law("slow", "time-limits", "Do the work in the background: meanwhile the agent does nothing else.")
    OUTPUT = Law("output", "output", "Write long output into a file of the log folder; the agent keeps the ends only.")
    STATUS_MISSING = Law("status-missing", "status", "Write status/<N>.status before enable returns, always.")
    STATUS_NAME = Law("status-name", "status", "Name the file after ConfigSequenceNumber: status/<N>.status.")
    STATUS_MALFORMED = Law("status-malformed", "status", "Write what the page on rules shows; check it with a parser.")
    STATUS_WORD = Law("status-word", "status", "Use transitioning, warning, error or success.")
    STATUS_IN_PLACE = Law("status-in-place", "status", "Write a temporary file beside it and rename that.")
    STATUS_SIZE = Law(
        "status-size", "status", "Keep the message below 1 KiB, each part below 10 KiB, all below 128 KiB."
    )
    STATUS_NEVER_FINAL = Law("status-never-final", "status", "Write a final status in every ending of the work.")
    STATUS_OVERWRITTEN = Law(
        "status-overwritten", "sequence-numbers", "Leave a final status alone when enable comes with the same number."
    )
    STATUS_ERROR = Law("status-error", "status", "Read the message; give other settings with --settings.")
    NUMBER_NOT_KEPT = Law(
        "number-not-kept", "sequence-numbers", "Keep the number in the file mrseq of the handler's folder."
    )
    HEARTBEAT = Law("heartbeat", "heartbeat", "Write heartbeat.log as the page shows, or set reportHeartbeat to false.")
    SECRET = Law(
        "secret", "secrets", "Hand secrets over by files of mode 0600 or by standard input, and never print them."
    )
    IN_AGENT = Law(
        "background-in-agent", "background-work", "Start background work with systemd-run, as a unit of its own."
    )
    PROCESS_STAYS = Law("process-stays", "background-work", "End what enable started, or make it a service.")
    LEFT = Law("left-behind", "life-cycle", "Take back in uninstall what install and enable made.")

    @property
    def law(self) -> Law:
        """What the rule says."""
        return self.value


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A breach of a rule. ``where`` is the step and command or file; ``message`` tells what was seen."""

    rule: Rule
    level: Level
    where: str
    message: str
