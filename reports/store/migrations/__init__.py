"""The schema's history, one file a step; see `store/migrating.py`."""
