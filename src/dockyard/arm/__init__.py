"""The Azure Resource Manager REST API, a folder per resource provider. Knows the fabric; only ``serve`` knows it."""
