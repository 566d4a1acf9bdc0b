"""Certificates and CMS envelopes; below the fabric, and the one room the client shares with it."""
