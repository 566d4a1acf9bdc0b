"""Azure Resource Manager templates: read, evaluated, planned. Pure: no I/O and no clock; used by fabric and API."""
