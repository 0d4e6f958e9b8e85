"""A class of invented students, graded the whole way: `make demo`."""
