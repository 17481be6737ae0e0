"""Starting weights for training, converted from networks that public packages carry."""
