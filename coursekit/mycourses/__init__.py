"""Exchange with MyCourses, Aalto's Moodle."""
