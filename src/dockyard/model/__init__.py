"""Frozen values every room of the host speaks in; no I/O, no imports from other rooms."""
