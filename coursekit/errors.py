"""The failures that a user can do something about."""


class KitError(Exception):
    """A failure told in one sentence: what, where, and what to do about it."""


class CourseError(KitError):
    """The course folder, or what is asked of it, is not there."""
