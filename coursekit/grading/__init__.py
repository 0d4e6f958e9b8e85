"""Grading of what a class handed in, through nbgrader."""
