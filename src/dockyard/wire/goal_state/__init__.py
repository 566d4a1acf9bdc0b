"""The wire server, 168.63.129.16 port 80: goals out, health and status in."""
