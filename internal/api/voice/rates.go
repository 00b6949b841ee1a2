package voice

import (
	"cmp"
	"math"
	"net/http"
	"strings"
	"sync"

	"golang.org/x/time/rate"

	"github.com/offhook/offhook/internal/core/route"
)

// rates bound what each application may ask. Who gets here has shown a token of the
// application, so that there are never more than there are applications.
type rates struct {
	mu sync.Mutex // guards all
	of map[string]*rate.Limiter
}

// allow says whether an application may ask now. New legs are counted by the
// exchange, which counts those of flows too.
func (l *rates) allow(app Application, r *http.Request) bool {
	if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/calls") {
		return true
	}
	limit := rate.Limit(cmp.Or(app.RequestsPerSecond, route.DefaultAppRequestsPerSecond))
	return l.limiter(app.ID, limit).Allow()
}

func (l *rates) limiter(app string, limit rate.Limit) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of == nil {
		l.of = make(map[string]*rate.Limiter)
	}
	one, ok := l.of[app]
	if !ok || one.Limit() != limit {
		one = rate.NewLimiter(limit, int(math.Ceil(float64(limit))))
		l.of[app] = one
	}
	return one
}
