package main

import (
	"io"
	"strings"
	"testing"
)

func TestDemoRefusesACarrierThatPhonesWouldBe(t *testing.T) {
	for _, carrier := range []string{"127.0.0.1:5080", "192.0.2.1:5080", "nonsense"} {
		var stderr strings.Builder
		code := run(t.Context(), []string{"demo", "--sip", "127.0.0.1:5060", "--carrier", carrier}, io.Discard, &stderr)
		if code != 1 || !strings.HasPrefix(stderr.String(), "offhook: --carrier") {
			t.Errorf("%s: exit status %d, %s", carrier, code, &stderr)
		}
	}
}
