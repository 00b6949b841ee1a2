// Package store keeps what must not be lost: users, numbers, groups, trunks and
// applications, the event log of every leg, and call detail records.
//
// It is typed functions over database/sql in one portable SQL subset ($n
// placeholders, ON CONFLICT, RETURNING; times as integer microseconds since
// 1970, JSON and sealed secrets as text), so that SQLite and PostgreSQL run the
// same statements; package sqlite opens the first. All methods are safe for
// concurrent use. Errors carry a core.Kind: NotFound and Conflict are the
// caller's business, everything else is internal.
package store
