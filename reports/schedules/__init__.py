"""When: what a schedule of a job.toml means as instants in its own zone, with the reason for each that is not plain.

Pure: no clock, no file, no store. `options` is how a schedule is written, `occurrences` what it names,
`words` how people say it.
"""
