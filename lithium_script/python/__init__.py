"""The three ways to run Python, and NumPy operations without a script."""
