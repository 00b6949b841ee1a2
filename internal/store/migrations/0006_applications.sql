-- What applications need: accounts, users of their own, and whose a leg is.

-- The secrets log in and sign webhooks; realm is whom the first is for in digests.
CREATE TABLE accounts (
    name             TEXT   PRIMARY KEY, -- its key
    body             TEXT   NOT NULL,
    secret           TEXT   NOT NULL,    -- sealed
    signature_secret TEXT   NOT NULL,    -- sealed
    realm            TEXT   NOT NULL,
    origin           TEXT   NOT NULL CHECK (origin IN ('file', 'api')),
    position         BIGINT NOT NULL
);

-- The key is in the body, with all else that an application is.
DELETE FROM applications WHERE origin = 'file'; -- comes again from the file
ALTER TABLE applications DROP COLUMN public_key;

-- Made by applications and by their tokens, however many; the users of the table
-- users are those of the house.
CREATE TABLE app_users (
    id         TEXT   PRIMARY KEY,
    app        TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    body       TEXT   NOT NULL,
    created_us BIGINT NOT NULL
);
CREATE UNIQUE INDEX app_users_name ON app_users (app, name);
CREATE INDEX app_users_created ON app_users (app, created_us, id);

-- Whose a leg is, '' for the house; where that is told; the headers of its INVITE
-- as JSON; and the application's word for how far it came.
ALTER TABLE cdrs ADD COLUMN app TEXT NOT NULL DEFAULT '';
ALTER TABLE cdrs ADD COLUMN hook_url TEXT NOT NULL DEFAULT '';
ALTER TABLE cdrs ADD COLUMN hook_method TEXT NOT NULL DEFAULT '';
ALTER TABLE cdrs ADD COLUMN headers TEXT NOT NULL DEFAULT '';
ALTER TABLE cdrs ADD COLUMN status TEXT NOT NULL DEFAULT '';
CREATE INDEX cdrs_app ON cdrs (app, begun_us, leg) WHERE app <> '';
CREATE INDEX cdrs_app_call ON cdrs (call, begun_us, leg) WHERE app <> '';
