"""The class report: how a class did, what to explain, and whom to look at."""
