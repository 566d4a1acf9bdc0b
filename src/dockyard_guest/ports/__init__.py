"""What handlers and the runtime may ask of the machine, and what the runtime may ask of a handler.

The system room implements the machine's side, `main` joins the two, tests implement them again. Nothing here acts.
All paths are absolute texts. Methods raise `GuestError` and nothing else for what can be foreseen.
"""

from __future__ import annotations

from .accounts import Accounts
from .handler import Handler
from .machine import Clock, Machine
from .network import Downloads, Sockets, Uploads
from .programs import Background, Commands, Script, Scripts, Services
from .secrets import Certificates, Envelopes
from .software import Packages, System
from .storage import Files, Settled
from .work import Progress, Step

__all__ = [
    "Accounts",
    "Background",
    "Certificates",
    "Clock",
    "Commands",
    "Downloads",
    "Envelopes",
    "Files",
    "Handler",
    "Machine",
    "Packages",
    "Progress",
    "Script",
    "Scripts",
    "Services",
    "Settled",
    "Sockets",
    "Step",
    "System",
    "Uploads",
]
