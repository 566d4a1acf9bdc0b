"""Machines as QEMU processes that outlive the server and need no root.

``driver`` joins the rest: ``argv`` decides (pure), ``disks``, ``forwards`` and ``console`` prepare, ``processes`` starts and
ends, ``monitor`` talks to a running machine, ``acceleration`` knows what the host's processor can do.
"""
