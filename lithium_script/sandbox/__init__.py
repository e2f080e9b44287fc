"""What runs outside the service: fork servers, keepers and script children.

Standard library only, CPython 3.9 or later, so that any environment's interpreter can run it.
"""
