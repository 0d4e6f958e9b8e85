"""Tests of the sandboxed kernels, and attacks on them."""
