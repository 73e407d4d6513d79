"""The text check: what a text for patients or the public must and must not say."""
