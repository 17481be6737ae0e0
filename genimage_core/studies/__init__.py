"""The paper's tables and studies, measured anew: what to train, what to score, what to write.

Each step keeps its result, and what has been finished is not done again.
"""
