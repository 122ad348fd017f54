-- What was consumed by the end of the range.
SELECT
    log.pantry_entry_id::text AS item_id,
    log.household_id::text AS household_id,
    log.quantity::float8 AS quantity,
    log."timestamp"::timestamp AS occurred_on
FROM consumption_logs AS log
WHERE log."timestamp" < current_setting('waste_risk.until')::timestamptz
