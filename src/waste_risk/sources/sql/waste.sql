-- What was thrown away by the end of the range.
SELECT
    waste.pantry_entry_id::text AS item_id,
    waste.household_id::text AS household_id,
    waste.quantity::float8 AS quantity,
    waste.created_at::timestamp AS occurred_on
FROM waste_events AS waste
WHERE waste.created_at < current_setting('waste_risk.until')::timestamptz
