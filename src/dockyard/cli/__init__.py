"""The command line: a file for each noun, over the client alone.

Standard output carries what was asked for; progress, warnings and errors go to standard error. Modules that bring TLS,
cryptography or the Azure SDK are executed when something in them is first used, so that help and completion are quick.
"""

import importlib.util
import sys

from dockyard import client

_HEAVY = ("certificates", "connection", "docker_endpoint", "https", "ssh")


def _defer(leaf: str) -> None:
    """Let ``from dockyard.client import leaf`` give a module that is executed on first use (importlib's own recipe).

    The package must hold it too: an import statement that finds it in ``sys.modules`` alone executes it at once.
    """
    name = f"{client.__name__}.{leaf}"
    spec = importlib.util.find_spec(name)
    if name in sys.modules or spec is None or spec.loader is None:
        return
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    setattr(client, leaf, module)


for _leaf in _HEAVY:
    _defer(_leaf)
