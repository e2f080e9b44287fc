"""Measures how the service compares with starting an interpreter for each script; asserts nothing."""
