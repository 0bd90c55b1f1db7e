"""What is kept of a run so that it can be made again: what was fetched, by what it was made, and what came of it."""
