"""Training: recipes, augmentation, data and the one loop."""
