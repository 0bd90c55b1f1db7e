-- A line of JSON for each epoch, as {"run": "a", "epoch": 1, "time": "2026-11-26T09:00:00", "train_loss": 1.2, …}.
SELECT
    column1 ->> '$.run' AS run,
    CAST(column1 ->> '$.epoch' AS BIGINT) AS epoch,
    CAST(column1 ->> '$.time' AS TIMESTAMP) AS time,
    CAST(column1 ->> '$.train_loss' AS DOUBLE) AS train_loss,
    CAST(column1 ->> '$.val_loss' AS DOUBLE) AS val_loss,
    CAST(column1 ->> '$.val_accuracy' AS DOUBLE) AS val_accuracy
FROM metrics
