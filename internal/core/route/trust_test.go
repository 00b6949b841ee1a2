package route

import "testing"

func TestTrusts(t *testing.T) {
	app := Application{
		Answer: Webhook{URL: "http://App.test:8000/answer"}, Event: Webhook{URL: "https://events.test/e"}, Fallback: Webhook{URL: "::"},
	}
	for _, tt := range []struct {
		host, port string
		http, ws   bool
	}{
		{"app.test", "8000", true, true},
		{"app.test", "443", true, true}, // https://app.test/..., made of the name alone
		{"app.test", "80", true, true},
		{"app.test", "6379", false, true},
		{"events.test", "443", true, true},
		{"events.test", "8000", false, true},
		{"127.0.0.1", "8000", false, false},
		{"", "80", false, false},
	} {
		if got := app.Trusts(tt.host, tt.port, false); got != tt.http {
			t.Errorf("http %s:%s: %v", tt.host, tt.port, got)
		}
		if got := app.Trusts(tt.host, tt.port, true); got != tt.ws {
			t.Errorf("ws %s:%s: %v", tt.host, tt.port, got)
		}
	}
}
