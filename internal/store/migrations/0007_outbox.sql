-- Webhooks that were not delivered within a second, as JSON.
CREATE TABLE outbox (
    id   BIGINT PRIMARY KEY,
    body TEXT   NOT NULL
);
