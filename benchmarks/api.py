"""The API under a fabric of 500 stored machines: 200 requests one after another, and 50 at once.

The rival is a bare Starlette route on the same server, over the same TLS, that answers with the same bytes: what the
API does beyond sending them is the ratio. Memory is that of the serving process. Used by ``python -m benchmarks``.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.support.values import GROUP, SUBSCRIPTION

MACHINES = 500
SEQUENTIAL = 200
CONCURRENT = 50
_ROUNDS = 4
_SUB = f"/subscriptions/{SUBSCRIPTION}"
_ALL = f"{_SUB}/resourceGroups/{GROUP}/providers/Microsoft.Compute/virtualMachines"


@dataclass(frozen=True)
class Call:
    """One request of the mixture."""

    kind: str
    method: str
    path: str
    body: Any = None
    view: bool = False


@dataclass(frozen=True)
class Times:
    """Seconds, sorted."""

    values: Sequence[float]

    @property
    def p50(self) -> float:
        """The median."""
        return statistics.median(self.values)

    @property
    def p99(self) -> float:
        """All but one in a hundred are no slower."""
        return self.values[min(len(self.values) - 1, int(len(self.values) * 0.99))]


def mixture(count: int) -> list[Call]:
    """Return requests as clients mix them: of ten, six look at a machine, one lists all, one changes tags."""
    return [_call(number) for number in range(count)]


def _call(number: int) -> Call:
    machine = f"{_ALL}/vm-{number * 37 % MACHINES:04}"
    match number % 10:
        case 0 | 1 | 2 | 3:
            return Call("get machine", "GET", machine)
        case 4 | 5:
            return Call("get with view", "GET", machine, view=True)
        case 6:
            return Call("list extensions", "GET", f"{machine}/extensions")
        case 7:
            return Call("list 500", "GET", _ALL)
        case 8:
            return Call("patch tags", "PATCH", machine, {"tags": {"round": str(number)}})
    return Call("get group", "GET", f"{_SUB}/resourceGroups/{GROUP}")


def show_api() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.api_server", folder, str(MACHINES)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            told = json.loads(process.stdout.readline())
            asyncio.run(_measure(told, pid=process.pid))
        finally:
            process.stdin.close()
            process.wait(30)


async def _measure(told: dict[str, Any], *, pid: int) -> None:
    before = _resident_mib(pid)
    ours, bare = [_client(told, port=port) for port in told["ports"]]
    async with ours, bare:
        print(f"API, {MACHINES} stored machines{'p50':>26}{'p99':>13}{'bare p50':>16}{'bare p99':>13}{'p50':>9}")
        for call in {call.kind: call for call in mixture(10)}.values():
            _print(call.kind, await _alternating(ours, bare, [call] * 30, at_once=1))
        _print(f"{SEQUENTIAL} mixed, one by one", await _alternating(ours, bare, mixture(SEQUENTIAL), at_once=1))
        _print(f"{CONCURRENT} mixed, at once", await _alternating(ours, bare, mixture(CONCURRENT), at_once=CONCURRENT))
    print(f"memory of the server: {before:.0f} MiB before, {_resident_mib(pid):.0f} MiB after")


async def _alternating(
    ours: httpx.AsyncClient, bare: httpx.AsyncClient, calls: Sequence[Call], *, at_once: int
) -> tuple[Times, Times]:
    """Measure turn by turn, so that both meet the same load; the first turn does not count."""
    taken: dict[httpx.AsyncClient, list[float]] = {ours: [], bare: []}
    for turn in range(_ROUNDS + 1):
        for client in taken:
            found = await _run(client, calls, at_once=at_once)
            taken[client] += found if turn else []
    return Times(sorted(taken[ours])), Times(sorted(taken[bare]))


async def _run(client: httpx.AsyncClient, calls: Sequence[Call], *, at_once: int) -> list[float]:
    seats = asyncio.Semaphore(at_once)

    async def one(call: Call) -> float:
        async with seats:
            begun = time.perf_counter()
            query = {"api-version": "2024-11-01", **({"$expand": "instanceView"} if call.view else {})}
            answer = await client.request(call.method, call.path, params=query, json=call.body)
            assert answer.status_code == 200, answer.text
            return time.perf_counter() - begun

    return list(await asyncio.gather(*(one(call) for call in calls)))


def _client(told: dict[str, Any], *, port: int) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=f"https://127.0.0.1:{port}",
        verify=ssl.create_default_context(cafile=told["ca"]),
        headers={"Authorization": f"Bearer {told['token']}"},
        limits=httpx.Limits(max_connections=CONCURRENT, max_keepalive_connections=CONCURRENT),
        trust_env=False,
        timeout=60,
    )


def _print(name: str, measured: tuple[Times, Times]) -> None:
    ours, bare = measured
    figures = (ours.p50, ours.p99, bare.p50, bare.p99)
    shown = "   ".join(f"{seconds * 1000:7.2f} ms" for seconds in figures)
    print(f"  {name:38} {shown}   x {ours.p50 / bare.p50:5.2f}")


def _resident_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    kib = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
    return int(kib) / 1024
