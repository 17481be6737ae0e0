"""What every room may use: errors, paths, settings, writing files whole, versions."""
