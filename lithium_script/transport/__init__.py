"""The doors: how operations are reached over HTTP, and who may reach them."""
