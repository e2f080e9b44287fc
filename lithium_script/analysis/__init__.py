"""Reading scripts without running them: what they may do, how they should run, and what to refuse."""
