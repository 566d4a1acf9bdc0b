"""The docker client, its compose program, registries and the machine's users, played.

What they say is what docker 26 and compose 2.26 say. A compose file is read as JSON, which is YAML.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.scenario.world import World

Played = tuple[int, str]


@dataclass
class Containers:
    """What is there to run containers; a state's next command goes on with it.

    Attributes:
        passwords: Registries that are reached, and the password each wants.
        offered: Images the registries have.
        images: Images on the machine.
        slow: How many pulls time out before one gets through.
        accounts: Users of the machine and their groups.
        running: Services and what the engine says of their containers.
        ends: Services whose programs end at once, and how.
        environment: Variables compose was started with last.
        calls: What compose was told to do.
    """

    passwords: dict[str, str] = field(default_factory=dict)
    offered: set[str] = field(default_factory=lambda: {"web:1"})
    images: set[str] = field(default_factory=set)
    slow: int = 0
    accounts: dict[str, set[str]] = field(default_factory=dict)
    running: dict[str, str] = field(default_factory=dict)
    ends: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def listed(self, project: str) -> list[dict[str, Any]]:
        """The containers as the engine's list has them."""
        label = {"com.docker.compose.project": project}
        return [
            {"Labels": {**label, "com.docker.compose.service": name}, "Status": status}
            for name, status in self.running.items()
        ]


def play_client(world: World, argv: Sequence[str], text: str) -> Played:
    """``docker`` without compose, but for the question whether there is compose."""
    if tuple(argv[1:3]) == ("compose", "version"):
        return (0, "v2.26.1") if "docker-compose" in world.packages else (125, "docker: 'compose' is not a command")
    assert "--password-stdin" in argv, f"nobody said that docker would be told {argv}"
    server = argv[-1] if argv[-1] != "--password-stdin" else ""
    password = world.containers_of.passwords.get(server)
    if password is None:
        return 1, f'Error response from daemon: Get "https://{server}/v2/": dial tcp: connection refused'
    if password != text:
        return 1, f"Error response from daemon: login attempt to https://{server}/v2/ failed: 401 Unauthorized ({text})"
    config = Path(f"{world.root}{argv[argv.index('--config') + 1]}/config.json")
    known = json.loads(config.read_text())
    known["auths"][server] = {"auth": text}
    config.write_text(json.dumps(known))
    return 0, "Login Succeeded"


def play_account(world: World, argv: Sequence[str], text: str) -> Played:
    """``id`` and ``usermod``."""
    groups = world.containers_of.accounts.get(argv[-1])
    if groups is None:
        return 1, f"id: '{argv[-1]}': no such user"
    if argv[0] == "usermod":
        groups.add(argv[argv.index("--groups") + 1])
    return 0, " ".join(sorted(groups))


def play_compose(world: World, argv: Sequence[str], environment: Mapping[str, str]) -> Played:
    """The compose program, told to do something with a file."""
    played = world.containers_of
    file = Path(f"{world.root}{argv[argv.index('--file') + 1]}")
    word = argv[argv.index("--project-directory") + 2]
    played.calls.append(word)
    played.environment = dict(environment)
    services = json.loads(file.read_text()).get("services", {})
    wanted = {name: service.get("image", "") for name, service in services.items()}
    return {"config": _config, "pull": _pull, "up": _up, "down": _down}[word](played, wanted)


def _config(played: Containers, wanted: Mapping[str, str]) -> Played:
    bad = [name for name, image in wanted.items() if not image]
    if bad:
        said = " ".join(played.environment.values())
        return 15, f'service "{bad[0]}" has neither an image nor a build context specified: invalid ({said})'
    return 0, ""


def _pull(played: Containers, wanted: Mapping[str, str]) -> Played:
    if played.slow:
        played.slow -= 1
        return 18, "Get https://registry/v2/: net/http: request canceled (Client.Timeout exceeded): i/o timeout"
    played.images |= set(wanted.values()) & played.offered
    missing = set(wanted.values()) - played.offered
    return (18, f"manifest for {min(missing)} not found: manifest unknown") if missing else (0, "pulled")


def _up(played: Containers, wanted: Mapping[str, str]) -> Played:
    missing = set(wanted.values()) - played.images
    if missing:
        return 1, f"Error response from daemon: No such image: {min(missing)}"
    played.running = {name: played.ends.get(name, "Up 1 second") for name in wanted}
    return 0, "started"


def _down(played: Containers, wanted: Mapping[str, str]) -> Played:
    played.running = {}
    return 0, "removed"
