"""Making a data set for a generator: the recipe of GenImage (Zhu et al. 2023, arXiv:2306.08571), resumable.

ImageNet's classes are the prompts, every class has as many images, and beside the fakes lie as many
photographs, each used once. `genimage build` is the command.
"""
