package webhook

// Deliverer delivers webhooks. Make it with New.
type Deliverer struct{}

// Send queues a job. It never waits.
func (d *Deliverer) Send(Job) {}

// Ended reports whether a Last job of the queue is in the outbox, or was delivered
// so shortly before the last start that the log of legs may not know of the end.
func (d *Deliverer) Ended(queue string) bool { return false }
