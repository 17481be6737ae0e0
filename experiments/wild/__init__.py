"""The large training set: from collected files to a manifest that every command takes."""
