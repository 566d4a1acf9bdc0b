"""Machines as QEMU processes that outlive the server and need no root.

``driver`` joins the rest: ``argv`` decides (pure); ``disks``, ``forwards`` and ``console`` prepare; ``launch`` and
``processes`` start and end; ``monitor`` talks to a running machine; ``acceleration`` knows what the processor can do.
"""
