"""Use cases over ports: what can be done with virtual machines, extensions and images, and how it is kept whole."""
