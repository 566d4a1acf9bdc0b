"""Handler commands as transitions: a machine's state goes in, one command runs, the state afterwards comes out."""
