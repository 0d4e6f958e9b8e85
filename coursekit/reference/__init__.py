"""The reference solution: the network of the exercise sheet and the way it is trained."""
