"""What outlives a request: tasks, leases of workers, statistics and settings, in one database for all workers."""
