"""A small evaluation set that needs no download: crops of bundled photographs, and four families of fakes.

The fakes are made by four small generative models of this project's own, trained on the same photographs on
first use. They show that everything works, and what a detector makes of generators that nobody trained it on;
with eight photographs behind all images they say little about photographs or generators at large.
"""

from experiments.evaluation_set.build import build_evalset, evalset_folder, is_built

__all__ = ["build_evalset", "evalset_folder", "is_built"]
