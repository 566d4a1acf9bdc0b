"""Microsoft.Resources: subscriptions, locations, resource groups."""
