"""Microsoft.Authorization: which action a request is, whether its caller may, and the resources that say so."""
