"""One archive of everything that tells why a machine is as it is, without secrets. Used by ``dockyard vm diagnose``.

``gathering`` asks the server and, by ``guest``, the machine itself, in which ``collecting`` runs; ``scrubbing`` takes
secrets out of every text; ``archive`` writes what is left, with an index.
"""
