"""Measures battle against its targets and against other load generators: `python -m bench`, or `make bench`.

What each row means and how to read it stands in docs/benchmark.md.
"""
