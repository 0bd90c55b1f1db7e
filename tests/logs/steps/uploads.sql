-- A log of steps, without files: each table that is loaded is an upload, and so is every step that failed.
-- Rows read are those of the table's transformation in the same run; the text None is no error.
SELECT
    CASE WHEN step.step LIKE 'Load %' THEN substr(step.step, 6) ELSE step.step END AS file,
    step.timestamp AS started,
    CASE
        WHEN step.status <> 'Success' THEN 'failed'
        WHEN step.row_count < before.row_count THEN 'partial'
        ELSE 'succeeded'
    END AS state,
    coalesce(before.row_count, step.row_count) AS rows_read,
    CASE WHEN step.step LIKE 'Load %' THEN step.row_count ELSE 0 END AS loaded,
    CASE WHEN step.status = 'Success' THEN greatest(coalesce(before.row_count, 0) - step.row_count, 0) ELSE 0 END AS rejected,
    nullif(step.error, 'None') AS error
FROM uploads AS step
LEFT JOIN uploads AS before
    ON before.step = 'Transform: ' || substr(step.step, 6)
    AND before.timestamp = step.timestamp
    AND step.step LIKE 'Load %'
WHERE step.step LIKE 'Load %' OR step.status <> 'Success'
