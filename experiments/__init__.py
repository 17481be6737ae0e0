"""Code that made what is bundled, and studies of it; not part of the package."""
