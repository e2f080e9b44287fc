"""The parent's side of an execution: fork servers, warm children, the loop that drives one, its limits and files."""
