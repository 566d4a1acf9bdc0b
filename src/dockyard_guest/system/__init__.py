"""The only room that touches the machine: each module is the one door for one kind of effect."""
