"""Course kit: releases, grades and reports one exercise round on backpropagation."""

__version__ = "0.1.0"
