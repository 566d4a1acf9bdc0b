"""The RunCommand extension: named configurations, each a script that runs once for each of its sequence numbers."""
