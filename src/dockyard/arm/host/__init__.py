"""Dockyard.Host: what ARM has no word for, the state of the machine everything runs on."""
