-- One row an epoch: what was measured in training and in validation, side by side. The log's own column names become
-- the report's here; another log needs another metrics.sql and nothing else. A time without a zone is in the zone that
-- the param log_zone names. Of these columns only epoch and train_loss must be there; `broken` is whether a loss is nan
-- or infinite, which one that is not there yet is not. Of an epoch that was trained again, after a fall back to a
-- checkpoint, the line written last counts.
SELECT
    run,
    epoch,
    max(epochs) AS epochs,
    max(time) AS time,
    any_value(loss) FILTER (split = 'train') AS train_loss,
    any_value(loss) FILTER (split = 'validation') AS val_loss,
    any_value(accuracy) FILTER (split = 'train') AS train_accuracy,
    any_value(accuracy) FILTER (split = 'validation') AS val_accuracy,
    any_value(lr) AS lr,
    sum(seconds) AS seconds,
    bool_or(NOT isfinite(loss)) AS broken
FROM (
    SELECT * REPLACE (CAST(nullif(loss, '') AS DOUBLE) AS loss)
    FROM metrics
    QUALIFY row_number() OVER (PARTITION BY run, epoch, split ORDER BY time DESC NULLS LAST) = 1
)
GROUP BY run, epoch
ORDER BY run, epoch
