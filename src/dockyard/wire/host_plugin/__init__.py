"""The host plugin, 168.63.129.16 port 32526: status reports in, and a second way to extension packages."""
