"""Machines in memory, for tests of everything above a hypervisor."""
