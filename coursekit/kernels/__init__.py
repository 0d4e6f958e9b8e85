"""Kernels for student code: forked from a warm process, and locked into a sandbox."""
