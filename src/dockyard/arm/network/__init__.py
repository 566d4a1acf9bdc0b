"""Microsoft.Network, enough to be true: what is shown of addresses and ports is what works on this host."""
