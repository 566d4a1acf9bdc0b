"""What the front doors speak through: ARM by the official SDK, Docker's certificates, contexts and endpoints.

Used by the CLI and the portal. Knows the model and the pki primitives, never the fabric behind the API.
"""
