"""What the pages share: widgets, rows of scores, the pictures of one visit."""
