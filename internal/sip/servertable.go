package sip

import (
	"strconv"
	"strings"
	"sync"
)

// serverTable finds the transactions of repeated requests, of CANCEL and ACK, and
// of merged requests.
type serverTable struct {
	mu     sync.Mutex // guards the fields below
	byKey  map[string]*ServerTx
	merges map[string]*ServerTx // INVITEs by what a second copy shares
}

func (t *serverTable) add(tx *ServerTx) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.byKey[tx.key] = tx
	if tx.req.Method == INVITE {
		t.merges[mergeKey(tx.req)] = tx
	}
}

func (t *serverTable) remove(tx *ServerTx) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byKey[tx.key] == tx {
		delete(t.byKey, tx.key)
	}
	if tx.req.Method == INVITE && t.merges[mergeKey(tx.req)] == tx {
		delete(t.merges, mergeKey(tx.req))
	}
}

func (t *serverTable) find(key string) *ServerTx {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byKey[key]
}

// merged reports whether req is another copy of an INVITE being served, come on
// another path (RFC 3261 section 8.2.2.2).
func (t *serverTable) merged(req *Request) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.merges[mergeKey(req)] != nil
}

func (t *serverTable) all() []*ServerTx {
	t.mu.Lock()
	defer t.mu.Unlock()
	txs := make([]*ServerTx, 0, len(t.byKey))
	for _, tx := range t.byKey {
		txs = append(txs, tx)
	}
	return txs
}

func mergeKey(req *Request) string {
	return Tag(req.From().Params) + "|" + req.CallID().Value() + "|" + strconv.FormatUint(uint64(req.CSeq().SeqNo), 10)
}

// serverKey names a server transaction (RFC 3261 section 17.2.3). method is that
// of the request, or INVITE to find what an ACK or CANCEL is about.
func serverKey(req *Request, method Method) string {
	via := req.Via()
	sentBy := strings.ToLower(via.Host) + ":" + strconv.Itoa(via.Port)
	branch, _ := Param(via.Params, "branch")
	if len(branch) > len(magic) && strings.EqualFold(branch[:len(magic)], magic) {
		return branch + "|" + sentBy + "|" + string(method)
	}
	// RFC 2543: no useful branch. The To-tag is left out, an ACK has our own.
	return req.Recipient.String() + "|" + mergeKey(req) + "|" + sentBy + "|" + branch + "|" + string(method)
}

func (t *serverTable) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.byKey)
}
