"""Microsoft.Compute: virtual machines, their extensions, managed images, operations."""
