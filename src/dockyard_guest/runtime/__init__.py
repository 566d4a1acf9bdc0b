"""Runs one handler command: reads what the agent handed over, locks, dispatches, reports, exits."""
