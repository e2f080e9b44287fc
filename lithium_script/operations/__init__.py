"""What clients can ask for: each operation declared once, with its schemas, and known to every door."""
