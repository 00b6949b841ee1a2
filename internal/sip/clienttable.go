package sip

import "sync"

// clientTable finds the transaction of a response.
type clientTable struct {
	mu     sync.Mutex // guards the fields below
	byKey  map[string]*clientTx
	closed bool
}

func (t *clientTable) add(tx *clientTx) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.byKey[tx.key] = tx
	return true
}

func (t *clientTable) remove(tx *clientTx) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.byKey, tx.key)
}

func (t *clientTable) find(key string) *clientTx {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byKey[key]
}

// on returns the transactions that wait on a link, or all if l is nil.
func (t *clientTable) on(l link) []*clientTx {
	t.mu.Lock()
	defer t.mu.Unlock()
	var txs []*clientTx
	for _, tx := range t.byKey {
		if l == nil || tx.flow.link == l {
			txs = append(txs, tx)
		}
	}
	return txs
}

func (t *clientTable) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
}

func (t *clientTable) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.byKey)
}
