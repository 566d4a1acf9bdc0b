"""Who may call: the public metadata document, the token endpoint, and the check of every other request."""
