"""NumPy operations on arrays that come as JSON, from a table: nothing of a request is ever looked up in NumPy."""
