"""The judge: asks a student's code about fresh inputs and marks the numbers that come back."""

from coursekit.judging.live import judge

__all__ = ["judge"]
