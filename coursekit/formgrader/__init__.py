"""nbgrader's formgrader on a course: grading by hand, with the scan and the marking guides."""
