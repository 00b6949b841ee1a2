package core

// OutboxEntry is a webhook that was not delivered yet, as the store keeps it. What
// Body says is the business of who delivers.
type OutboxEntry struct {
	ID   int64 // orders entries; unique
	Body string
}
