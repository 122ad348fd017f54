-- The households that existed at the end of the range. Within this transaction the time zone is UTC, so a timestamp is
-- naive UTC, and a date stays the day that it is.
SELECT
    household.id::text AS household_id,
    household.members_count::int8 AS size,
    household.currency::text AS currency,
    household.created_at::timestamp AS joined_on
FROM households AS household
WHERE household.deleted_at IS NULL
  AND household.created_at < current_setting('waste_risk.until')::timestamptz
