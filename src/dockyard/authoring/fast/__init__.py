"""The runner without a machine: an agent's stand-in around the real package, in namespaces of its own.

``runner`` starts ``inside``, which makes a private copy of this machine's files (``isolation``), plays the agent's part
(``agent``) through every step (``life``), and looks on (``watch``, ``traces``).
"""
