"""``python -m dockyard.cli``: how the command line starts the server apart from itself."""

from dockyard.cli.main import main

main()
