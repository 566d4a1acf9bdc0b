"""The Docker extension: installs, secures and proves a Docker engine."""
