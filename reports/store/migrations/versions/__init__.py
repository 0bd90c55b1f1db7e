"""Each file is one step; what has been released is never changed."""
