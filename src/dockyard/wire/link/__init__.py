"""A machine's virtual network cable: Ethernet frames in datagrams, and the one network stack at its far end."""
