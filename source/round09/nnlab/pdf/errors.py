"""The one exception of this package."""


class CannotShow(Exception):
    """Something has to stand in a marked box; the message is the reason, a few words."""
