"""Known wrong solutions and right though different ones, sent through the judge."""
