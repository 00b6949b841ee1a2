package config

import (
	"strings"
	"testing"
)

// TestVoice: what the section voice may say.
func TestVoice(t *testing.T) {
	if v := Default().Voice; !v.LenientFinishedLeg || v.RecordAside {
		t.Errorf("defaults %+v", v)
	}
	for _, tt := range []struct {
		name string
		v    Voice
		want string
	}{
		{"nothing", Voice{}, ""},
		{"all", Voice{URL: "https://phone.example.com", FileBase: "https://api.nexmo.com", RegionURL: "http://127.0.0.1:8080"}, ""},
		{"slash at the end", Voice{FileBase: "https://api.nexmo.com/"}, "voice.file_base"},
		{"no scheme", Voice{URL: "phone.example.com"}, "voice.url"},
		{"other scheme", Voice{RegionURL: "ftp://phone.example.com"}, "voice.region_url"},
		{"rewrite", Voice{WebhookRewrite: map[string]string{"https://app.test": "http://127.0.0.1:8000"}}, ""},
		{"rewrite of a path", Voice{WebhookRewrite: map[string]string{"https://app.test/a": "http://127.0.0.1:8000"}}, "voice.webhook_rewrite"},
		{"rewrite to nowhere", Voice{WebhookRewrite: map[string]string{"https://app.test": "127.0.0.1:8000"}}, "voice.webhook_rewrite"},
	} {
		err := tt.v.Validate()
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
