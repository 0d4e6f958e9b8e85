"""How long does a class take to grade, against stock nbgrader? (make bench)."""
