"""Lithium Script Service: runs other people's scripts, safely and fast.

This file stays bare: fork servers and their children import parts of the package with nothing but the
standard library on their path.
"""

__version__ = "0.1.0"
