"""Extension handlers, a room each; they never import one another."""
