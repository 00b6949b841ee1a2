package obs

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// checkTimeout bounds all checks of one request.
const checkTimeout = 2 * time.Second

// Check says what is wrong with one part of the node, nil for nothing.
type Check func(context.Context) error

// Health answers load balancers and supervisors: alive, and ready to take
// calls. It is not ready before Started, nor after Drain.
type Health struct {
	log     *slog.Logger
	started atomic.Bool
	drained atomic.Bool

	mu     sync.Mutex // guards names and checks
	names  []string
	checks []Check
}

// NewHealth returns a Health that is not ready yet.
func NewHealth(log *slog.Logger) *Health { return &Health{log: log} }

// Add adds a check of readiness: store open, SIP listening. Name is shown in the
// answer.
func (h *Health) Add(name string, check Check) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.names, h.checks = append(h.names, name), append(h.checks, check)
}

// Started says that every part runs.
func (h *Health) Started() { h.started.Store(true) }

// Drain says that no new calls are taken any more.
func (h *Health) Drain() { h.drained.Store(true) }

// Live serves /healthz: 200 as long as the process can answer at all.
func (h *Health) Live(w http.ResponseWriter, _ *http.Request) {
	h.answer(w, http.StatusOK, map[string]string{"status": "ok"})
}

// Ready serves /readyz: 200, or 503 with the parts that are not ready. What is
// wrong with them goes to the log only; the answer is for everybody.
func (h *Health) Ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
	defer cancel()
	status, result := http.StatusOK, map[string]string{"status": "ready"}
	fail := func(name, why string) {
		status, result["status"] = http.StatusServiceUnavailable, "not ready"
		result[name] = why
	}
	if !h.started.Load() {
		fail("start", "in progress")
	}
	if h.drained.Load() {
		fail("drain", "in progress")
	}
	h.mu.Lock()
	names, checks := h.names, h.checks
	h.mu.Unlock()
	for i, check := range checks {
		if err := check(ctx); err != nil {
			fail(names[i], "failed")
			h.log.WarnContext(ctx, "not ready", "part", names[i], "error", err)
		}
	}
	h.answer(w, status, result)
}

func (h *Health) answer(w http.ResponseWriter, status int, result map[string]string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(result); err != nil {
		h.log.Debug("health answer not sent", "error", err)
	}
}
