"""Terms in a sentence or two, for the help beside a figure; the longer texts stand on About."""

TERMS: dict[str, str] = {
    "score": (
        "P(fake): near 0 the picture resembles the photographs that a detector has learned from, near 1 the "
        "AI images. It is evidence, not proof."
    ),
    "combined score": "All detectors' scores weighed together, fitted on pictures whose truth is known.",
    "unsure": "Scores in this band come from photographs and AI images alike, so no verdict is given.",
    "odds": (
        "Chance that the picture is AI-generated, from how often such an answer was right on held-out "
        "sources. It holds if half of all pictures are AI; say otherwise under Advanced."
    ),
    "agreement": "Share of the detectors whose own score lies on the verdict's side of .5.",
    "provenance": "What the file's own metadata say of its origin. Missing metadata prove nothing.",
    "accuracy": "Share of pictures on the right side of .5, in percent. 50 % is a coin toss.",
    "AUROC": (
        "How well scores put AI images above photographs, whatever the threshold: 1 tells all apart, .5 is a "
        "coin toss."
    ),
    "interval": (
        "95 % interval: with so many pictures, the true value lies in such a range 95 times in 100 repeats."
    ),
    "degradation": "Damage as the web does it: shrinking, compressing, blurring.",
    "data protocol": "How pictures reach a detector: as they are, or all through one crop and one encoder.",
    "split": "Detectors learn from `train` pictures and are measured on `val` pictures, unseen until then.",
    "bias": (
        "A fact of the files, such as format or size, that differs between AI images and photographs. A "
        "detector can learn it in place of what makes an image look generated."
    ),
    "seed": "The number that a random draw starts from. The same seed gives the same draw.",
}


def meaning(term: str) -> str:
    """Return what a term means.

    Raises:
        KeyError: the glossary lacks it.
    """
    return TERMS[term]
