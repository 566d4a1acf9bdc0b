"""The host side of Dockyard: everything that runs on the user's machine."""
