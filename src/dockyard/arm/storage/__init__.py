"""Microsoft.Storage: accounts by name, for templates that expect one."""
