"""Microsoft.Resources/deployments: templates deployed into a resource group."""
