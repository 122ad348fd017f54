-- PantryPal's tables: what waste-risk reads, of which types, and the indexes that its extraction wants. The contract is
-- PantryPal's; this copy is what `kedro run --pipelines seed_postgres` makes where there are no tables, and what to
-- compare another database with. Ids are UUIDs, times timestamptz, money integer cents; days are dates in the life of
-- the household, without a time zone. Rows with deleted_at set do not count.

CREATE TABLE IF NOT EXISTS households (
    id             uuid PRIMARY KEY,
    members_count  integer NOT NULL DEFAULT 1 CHECK (members_count >= 1),
    currency       text NOT NULL DEFAULT 'USD',
    created_at     timestamptz NOT NULL DEFAULT now(),
    deleted_at     timestamptz
);

CREATE TABLE IF NOT EXISTS items_catalog (
    id                             uuid PRIMARY KEY,
    name                           text NOT NULL,
    canonical_name                 text NOT NULL,
    category                       text NOT NULL,
    subcategory                    text,
    typical_shelf_life_days        integer,
    shelf_life_after_opening_days  integer,
    storage_type                   text,
    unit                           text,
    typical_price_cents            integer,
    deleted_at                     timestamptz
);

CREATE TABLE IF NOT EXISTS pantry_entries (
    id                         uuid PRIMARY KEY,
    household_id               uuid NOT NULL REFERENCES households,
    item_catalog_id            uuid REFERENCES items_catalog,
    name                       text NOT NULL,
    quantity                   numeric(12, 3) NOT NULL,           -- left now: never read
    original_quantity          numeric(12, 3) NOT NULL,
    unit                       text NOT NULL,
    purchase_date              date NOT NULL,
    opened_at                  timestamptz,
    expiry_date                date,
    estimated_shelf_life_days  integer,                           -- never read
    storage_type               text NOT NULL
                               CHECK (storage_type IN ('refrigerator', 'freezer', 'pantry', 'counter', 'other')),
    price_cents                integer CHECK (price_cents >= 0),  -- of the whole entry
    active                     boolean NOT NULL DEFAULT true,     -- never read, as are the next two
    consumed_completely        boolean NOT NULL DEFAULT false,
    wasted                     boolean NOT NULL DEFAULT false,
    deleted_at                 timestamptz
);

CREATE TABLE IF NOT EXISTS consumption_logs (
    id               uuid PRIMARY KEY,
    pantry_entry_id  uuid NOT NULL REFERENCES pantry_entries,
    household_id     uuid NOT NULL REFERENCES households,
    quantity         numeric(12, 3) NOT NULL,
    "timestamp"      timestamptz NOT NULL
);

CREATE TABLE IF NOT EXISTS waste_events (
    id               uuid PRIMARY KEY,
    pantry_entry_id  uuid REFERENCES pantry_entries,
    household_id     uuid NOT NULL REFERENCES households,
    quantity         numeric(12, 3) NOT NULL,
    reason           text,
    created_at       timestamptz NOT NULL DEFAULT now()
);

-- The extraction reads all rows up to a moment: by index where that is a small part of them, else table by table.
CREATE INDEX IF NOT EXISTS pantry_entries_purchase_date_idx ON pantry_entries (purchase_date);
CREATE INDEX IF NOT EXISTS consumption_logs_timestamp_idx ON consumption_logs ("timestamp");
CREATE INDEX IF NOT EXISTS waste_events_created_at_idx ON waste_events (created_at);

-- The application looks things up by household and by entry.
CREATE INDEX IF NOT EXISTS pantry_entries_household_id_idx ON pantry_entries (household_id);
CREATE INDEX IF NOT EXISTS consumption_logs_pantry_entry_id_idx ON consumption_logs (pantry_entry_id);
CREATE INDEX IF NOT EXISTS waste_events_pantry_entry_id_idx ON waste_events (pantry_entry_id);
