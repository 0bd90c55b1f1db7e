-- trainer_state.json of Hugging Face's Trainer, whose log_history has rows of training at every so many steps and rows
-- of evaluation. It is read as lines of text; NaN, which JSON does not know, is put in quotes.
WITH lines AS (
    SELECT row_number() OVER () AS number, column1 AS said FROM metrics
),
whole AS (
    SELECT regexp_replace(string_agg(said, ' ' ORDER BY number), ': *(-?(NaN|Infinity))', ': "\1"', 'g') AS said FROM lines
),
rows AS (
    SELECT unnest(from_json(said -> '$.log_history', '["JSON"]')) AS row, CAST(said ->> '$.num_train_epochs' AS BIGINT) AS epochs
    FROM whole
)
SELECT
    CAST(ceil(CAST(row ->> '$.epoch' AS DOUBLE)) AS BIGINT) AS epoch,
    any_value(epochs) AS epochs,
    avg(CAST(row ->> '$.loss' AS DOUBLE)) AS train_loss,
    max(CAST(row ->> '$.eval_loss' AS DOUBLE)) AS val_loss,
    max(CAST(row ->> '$.eval_accuracy' AS DOUBLE)) AS val_accuracy,
    min(CAST(row ->> '$.learning_rate' AS DOUBLE)) AS lr,
    bool_or(NOT isfinite(CAST(row ->> '$.loss' AS DOUBLE))) AS broken
FROM rows
GROUP BY 1
HAVING count(row ->> '$.loss') > 0
