-- The tape's own column names become the engine's here. Another tape needs another loans.sql and nothing else.
-- Amounts in the project's currency, rates and fees as fractions of one, terms in months.
SELECT
    LOAN_ID AS loan_id,
    BORROWER AS borrower,
    PRODUCT AS product,
    ORIG_DATE AS origination_date,
    CURRENT_BAL AS balance,
    NOTE_RATE_PCT / 100 AS rate,
    ORIG_TERM_M AS term,
    PAID_M AS age,
    INT_ONLY_AMT AS interest_only,
    REVERT_AFTER_M AS reversion_month,
    REVERT_RATE_PCT / 100 AS reversion_rate,
    SERVICING_BP / 10000 AS servicing_fee,
    UPFRONT_FEE AS fees,
    UPFRONT_COST AS costs
FROM loans
WHERE ORIG_DATE <= :as_of
ORDER BY loan_id
