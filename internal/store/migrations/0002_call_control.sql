-- Schedules and rules for callers, like the resources of 0001.

CREATE TABLE schedules (
    name     TEXT   PRIMARY KEY,
    body     TEXT   NOT NULL,
    origin   TEXT   NOT NULL CHECK (origin IN ('file', 'api')),
    position BIGINT NOT NULL
);

CREATE TABLE callers (
    name     TEXT   PRIMARY KEY,
    body     TEXT   NOT NULL,
    origin   TEXT   NOT NULL CHECK (origin IN ('file', 'api')),
    position BIGINT NOT NULL
);

-- What there is one of: 'dialling', 'limits', 'parking'.
CREATE TABLE settings (
    name     TEXT   PRIMARY KEY,
    body     TEXT   NOT NULL,
    origin   TEXT   NOT NULL CHECK (origin IN ('file', 'api')),
    position BIGINT NOT NULL
);

-- What is changed by hand at run time, whoever keeps the resource: kind is
-- 'schedule' (an override) or 'user' (do not disturb).
CREATE TABLE switches (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, name)
);
