"""Package managers, a module each, all of the shape of `ports.Packages`."""
