package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/config"
	"github.com/offhook/offhook/internal/core/route"
	"github.com/offhook/offhook/internal/sip"
)

// TestCheckTrunk wants a trunk that answers OPTIONS to be fine also if it
// refuses, and one that takes no calls or says nothing to be reported.
func TestCheckTrunk(t *testing.T) {
	for _, tt := range []struct {
		name string
		code int // 0 is no answer
		want string
		fine bool
	}{
		{"answers", 200, "answers OPTIONS with 200 OK", true},
		{"refuses", 404, "answers OPTIONS with 404 Not Found", true},
		{"takes no calls", 503, "it takes no calls now", false},
		{"is silent", 0, "does not answer OPTIONS", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			far := sip.NewStack(sip.Config{Handler: sip.HandlerFunc(func(tx *sip.ServerTx, _ *sip.Request) {
				if tt.code != 0 {
					tx.Reply(tt.code, "")
				}
			})})
			t.Cleanup(far.Close)
			at, err := far.ListenUDP(t.Context(), sip.Listen{Addr: "127.0.0.1:0"})
			if err != nil {
				t.Fatal(err)
			}
			ctx := t.Context()
			if tt.code == 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, 200*time.Millisecond)
				defer cancel()
			}
			text, err := askOptions(ctx, config.Trunk{Trunk: route.Trunk{Name: "line", URI: "sip:" + at.String()}}, "offhook.test")
			if err != nil {
				text = err.Error()
			}
			if (err == nil) != tt.fine || !strings.Contains(text, tt.want) {
				t.Errorf("%q, want %q", text, tt.want)
			}
		})
	}
}
