"""The VMAccess extension: users, their passwords and keys, and an SSH server that lets them in, without a login."""
