-- What was made of calls: sound and texts. The files are in a folder of their own.
CREATE TABLE recordings (
    file         TEXT    PRIMARY KEY,
    kind         TEXT    NOT NULL,
    id           TEXT    NOT NULL,
    app          TEXT    NOT NULL,
    leg          TEXT    NOT NULL,
    call         TEXT    NOT NULL,
    hook_url     TEXT    NOT NULL,
    hook_method  TEXT    NOT NULL,
    begun_us     BIGINT  NOT NULL,
    ended_us     BIGINT,            -- NULL while it is being made
    size         BIGINT  NOT NULL,
    channels     INTEGER NOT NULL,
    content_type TEXT    NOT NULL,
    transcribe   TEXT    NOT NULL   -- JSON, '' if not wanted
);
CREATE INDEX recordings_begun ON recordings (begun_us, file);
CREATE INDEX recordings_unfinished ON recordings (file) WHERE ended_us IS NULL;
