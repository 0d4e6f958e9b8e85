"""Tests of nnlab.pdf; a package, so that its tables and its fuzzer run as modules."""
