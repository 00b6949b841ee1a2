-- A leg's history moves into its record: a row is written when the leg begins and
-- changed as its history goes on, instead of a row for each change.

-- Sequence number of the last change that is written.
ALTER TABLE cdrs ADD COLUMN seq BIGINT NOT NULL DEFAULT 0;

-- The changes, in order, as JSON objects one after the other.
ALTER TABLE cdrs ADD COLUMN history TEXT NOT NULL DEFAULT '';

UPDATE cdrs SET
    seq = COALESCE((SELECT MAX(e.seq) FROM leg_events e WHERE e.leg = cdrs.leg), 0),
    history = COALESCE((SELECT string_agg('{"seq":' || e.seq || ',"at":' || e.at_us || ',"kind":"' || e.kind || '",' || substr(e.body, 2), '' ORDER BY e.seq)
        FROM leg_events e WHERE e.leg = cdrs.leg), '');

DROP TABLE leg_events;

-- By time: what begins is added at the end of the index, whatever its name.
DROP INDEX cdrs_open;
CREATE INDEX cdrs_open ON cdrs (begun_us) WHERE ended_us IS NULL;
