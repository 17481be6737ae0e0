"""The paper's tables and studies, measured anew: what to train, what to score, what to write.

Every step is one of the other commands, run in a process of its own; what has been finished is not done
again.
"""
