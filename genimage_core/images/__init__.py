"""Images: reading and checking them, what their files say, and the degradations."""
