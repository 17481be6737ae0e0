"""The audit of a data set: what besides the content tells its real images from its fake ones."""
