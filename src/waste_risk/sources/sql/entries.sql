-- What these households had bought by the end of the range. What is left of an entry, whether it is active, consumed or
-- wasted is its state of today, which no observation of the past may know: those columns are not read.
SELECT
    entry.id::text AS item_id,
    entry.household_id::text AS household_id,
    coalesce(catalog.canonical_name, catalog.name)::text AS product,
    catalog.category::text AS category,
    entry.original_quantity::float8 AS quantity,
    entry.unit::text AS unit,
    entry.price_cents::float8 AS price_cents,
    entry.purchase_date::timestamp AS purchased_on,
    entry.storage_type::text AS storage,
    CASE WHEN isfinite(entry.expiry_date) THEN entry.expiry_date::timestamp END AS expires_on,
    CASE WHEN entry.opened_at < current_setting('waste_risk.until')::timestamptz THEN entry.opened_at::timestamp END
        AS opened_at
FROM pantry_entries AS entry
JOIN households AS household
  ON household.id = entry.household_id
 AND household.deleted_at IS NULL
 AND household.created_at < current_setting('waste_risk.until')::timestamptz
LEFT JOIN items_catalog AS catalog
  ON catalog.id = entry.item_catalog_id
 AND catalog.deleted_at IS NULL
WHERE entry.deleted_at IS NULL
  AND entry.purchase_date < current_setting('waste_risk.until')::timestamptz
