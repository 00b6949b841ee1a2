-- Portable subset only: TEXT and BIGINT. Times are microseconds since 1970,
-- flags are 0 or 1, body is JSON, sealed columns are base64 of AES-GCM.

-- One row per kind of fact about the store itself.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- origin says who keeps a resource: 'file' rows are replaced at every start.
-- position keeps the order of the file.

-- app is '' for users of the house. The digest secrets are those of realm.
CREATE TABLE users (
    app           TEXT   NOT NULL,
    name          TEXT   NOT NULL,
    body          TEXT   NOT NULL,
    realm         TEXT   NOT NULL,
    ha1_md5       TEXT   NOT NULL, -- sealed
    ha1_sha256    TEXT   NOT NULL, -- sealed
    password_hash TEXT   NOT NULL,
    origin        TEXT   NOT NULL CHECK (origin IN ('file', 'api')),
    position      BIGINT NOT NULL,
    PRIMARY KEY (app, name)
);

CREATE TABLE ring_groups (
    name     TEXT   PRIMARY KEY,
    body     TEXT   NOT NULL,
    origin   TEXT   NOT NULL CHECK (origin IN ('file', 'api')),
    position BIGINT NOT NULL
);

CREATE TABLE numbers (
    name     TEXT   PRIMARY KEY, -- E.164 digits
    body     TEXT   NOT NULL,
    origin   TEXT   NOT NULL CHECK (origin IN ('file', 'api')),
    position BIGINT NOT NULL
);

CREATE TABLE trunks (
    name     TEXT   PRIMARY KEY,
    body     TEXT   NOT NULL,
    secret   TEXT   NOT NULL, -- sealed password
    origin   TEXT   NOT NULL CHECK (origin IN ('file', 'api')),
    position BIGINT NOT NULL
);

CREATE TABLE applications (
    name       TEXT   PRIMARY KEY, -- its id, a UUID
    body       TEXT   NOT NULL,
    public_key TEXT   NOT NULL,    -- PEM
    origin     TEXT   NOT NULL CHECK (origin IN ('file', 'api')),
    position   BIGINT NOT NULL
);

-- Append only. The two partial indexes make "begins once, ends once" a fact of
-- the data instead of a promise of the program.
CREATE TABLE leg_events (
    leg   TEXT   NOT NULL,
    seq   BIGINT NOT NULL,
    at_us BIGINT NOT NULL,
    kind  TEXT   NOT NULL,
    body  TEXT   NOT NULL,
    PRIMARY KEY (leg, seq)
);
CREATE UNIQUE INDEX leg_events_began ON leg_events (leg) WHERE kind = 'began';
CREATE UNIQUE INDEX leg_events_ended ON leg_events (leg) WHERE kind = 'ended';

-- One row per leg.
CREATE TABLE cdrs (
    leg         TEXT   PRIMARY KEY,
    call        TEXT   NOT NULL,
    edge        TEXT   NOT NULL,
    direction   TEXT   NOT NULL,
    from_user   TEXT   NOT NULL,
    from_trunk  TEXT   NOT NULL,
    from_number TEXT   NOT NULL,
    from_name   TEXT   NOT NULL,
    to_user     TEXT   NOT NULL,
    to_trunk    TEXT   NOT NULL,
    to_number   TEXT   NOT NULL,
    to_name     TEXT   NOT NULL,
    begun_us    BIGINT NOT NULL,
    answered_us BIGINT,
    ended_us    BIGINT,
    talk_us     BIGINT NOT NULL DEFAULT 0,
    cause       BIGINT NOT NULL DEFAULT 0,
    reason      TEXT   NOT NULL DEFAULT '',
    code        BIGINT NOT NULL DEFAULT 0,
    interrupted BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX cdrs_open ON cdrs (leg) WHERE ended_us IS NULL;
CREATE INDEX cdrs_begun ON cdrs (begun_us);
