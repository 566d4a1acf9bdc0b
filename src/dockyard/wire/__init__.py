"""What guests see of the platform: wire server, host plugin, instance metadata, and the network they are reached by."""
