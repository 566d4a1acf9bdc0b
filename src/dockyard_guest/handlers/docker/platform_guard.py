"""Keeps containers from the platform's endpoints: the wire server and the host plugin, and the instance metadata.

Whoever reaches these speaks as the machine: certificates and sealed settings come from there. The rules stand in a
chain of their own that every packet from a bridge passes before it is routed, so the order in which dockerd makes its
own rules does not matter. They are placed before every start of the daemon, which does not start without them: no
container runs unguarded, after a boot either. The machine's own processes do not pass there.

Outside this: containers on the host's network, which are the machine as far as packets tell, and macvlan and ipvlan
networks, whose packets pass by the machine's rules. Name resolution stays open, and so do answers to health probes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError

from .places import GUARD
from .safe_defaults import Switch

if TYPE_CHECKING:
    from dockyard_guest.ports import Machine

ADDRESSES = {Switch.PLATFORM_GUARD: "168.63.129.16", Switch.METADATA_GUARD: "169.254.169.254"}
DROP_IN_TEXT = f"""# Written by the Docker extension; docker.defaults.platform-guard and .metadata-guard switch it off.
[Service]
ExecStartPre=/bin/sh {GUARD}
"""

_CHAIN = "DOCKER-PLATFORM-GUARD"
_TABLE = "inet docker_platform_guard"
_LIMIT = 60.0

_SCRIPT = """#!/bin/sh
# Written by the Docker extension. Containers open no TCP connection to the platform, but for name resolution.
# A first packet is one with SYN and without ACK, so answers to the platform's own probes pass.
set -eu
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
if command -v iptables-restore >/dev/null; then
  # One transaction: a chain that is there is never empty for a moment.
  iptables-restore --wait --noflush <<'END'
*raw
:{chain} - [0:0]
-A {chain} -i lo -j RETURN
{iptables}
COMMIT
END
  iptables --wait -t raw -C PREROUTING -j {chain} 2>/dev/null || iptables --wait -t raw -I PREROUTING -j {chain}
else
  nft -f - <<'END'
table {table}
delete table {table}
table {table} {{
  chain prerouting {{
    type filter hook prerouting priority -300; policy accept;
    iifname "lo" return
{nft}
  }}
}}
END
fi
"""
_IPTABLES = "-A {chain} -d {address}/32 -p tcp -m tcp ! --dport 53 --tcp-flags SYN,ACK SYN -j DROP"
_NFT = "    ip daddr {address} tcp dport != 53 tcp flags & (syn | ack) == syn drop"
_REMOVAL = f"""
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
if iptables --wait -t raw -D PREROUTING -j {_CHAIN}; then
  iptables --wait -t raw -F {_CHAIN} && iptables --wait -t raw -X {_CHAIN}
fi 2>/dev/null
command -v nft >/dev/null && nft delete table {_TABLE} 2>/dev/null
exit 0
"""


def guarded(off: frozenset[Switch]) -> tuple[str, ...]:
    """The addresses to be kept from containers."""
    return tuple(address for switch, address in ADDRESSES.items() if switch not in off)


def script(addresses: tuple[str, ...]) -> str | None:
    """The script that places the rules; ``None`` when there are none to place."""
    if not addresses:
        return None
    return _SCRIPT.format(
        chain=_CHAIN,
        table=_TABLE,
        iptables="\n".join(_IPTABLES.format(chain=_CHAIN, address=address) for address in addresses),
        nft="\n".join(_NFT.format(address=address) for address in addresses),
    )


def place_rules(machine: Machine, *, addresses: tuple[str, ...]) -> str:
    """Make the rules of the running machine be those for these addresses. Answers what holds, in a sentence.

    Raises:
        PermanentError: This machine cannot have the rules.
    """
    text = script(addresses)
    if text is None:
        remove_rules(machine)
        return "containers reach the platform's endpoints, as asked for"
    done = machine.commands.run(["/bin/sh", "-s"], stdin=text.encode(), timeout=_LIMIT)
    if not done.succeeded:
        raise PermanentError(
            "Containers cannot be kept from the platform's endpoints.",
            details=done.complaint or done.output.strip(),
            resolution="Install iptables, or switch docker.defaults.platform-guard and metadata-guard off.",
            exit_code=ExitCode.MISSING_DEPENDENCY,
        )
    return f"containers open no connection to {' and '.join(addresses)}"


def remove_rules(machine: Machine) -> None:
    """Take the rules out of the running machine; they need not be there."""
    machine.commands.run(["/bin/sh", "-s"], stdin=_REMOVAL.encode(), timeout=_LIMIT)
