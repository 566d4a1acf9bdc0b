"""For authors of extensions: new projects, and handlers judged by the agent's rules. Used by the CLI alone.

``observations`` and ``judging`` are pure; ``fast`` and ``machine`` are two ways to observe, without and with a machine.
"""
