"""What becomes of students' data when a round is over: kept in an archive, or forgotten."""
