"""The SQL Servers that the contracts are asked of."""

SQLSERVERS = {"mssql": "", "standin-mssqlpython": "mssql", "standin-pymssql": "pymssql"}
"""The one that the environment names, and the stand-in by each of the real drivers, under the tests' name of it."""
