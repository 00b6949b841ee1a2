package route

import (
	"strings"
	"testing"
	"time"
)

func TestNumbersAsATrunkWritesThem(t *testing.T) {
	for _, c := range []struct{ format, country, digits, wire string }{
		{"", "", "4930123456", "4930123456"},
		{"digits", "", "4930123456", "4930123456"},
		{"plus", "", "4930123456", "+4930123456"},
		{"plus", "", "911", "911"}, // a short code is no E.164 number
		{"plus", "", "anna", "anna"},
		{"national", "de", "4930123456", "030123456"},
		{"national", "de", "12995550100", "0012995550100"},
		{"national", "us", "12995550100", "12995550100"},
		{"national", "us", "4930123456", "0114930123456"},
		{"national", "es", "34911234567", "911234567"},
	} {
		trunk := TrunkSIP{NumberFormat: c.format, Country: c.country}
		if got := trunk.Number(c.digits); got != c.wire {
			t.Errorf("%s %s: %s is written %s, want %s", c.format, c.country, c.digits, got, c.wire)
		}
		if got := strings.TrimPrefix(trunk.Digits(c.wire), "+"); got != c.digits {
			t.Errorf("%s %s: %s is read %s, want %s", c.format, c.country, c.wire, got, c.digits)
		}
	}
}

func TestMistakesInATrunksSIP(t *testing.T) {
	bad := Trunk{Name: "carrier", URI: "sip:carrier.example", TrunkSIP: TrunkSIP{
		Backups: []string{"http://x"}, Register: true, RegisterExpires: Duration(time.Second), NumberFormat: "national",
		FromUser: "a b", Identity: "both", Diversion: "yes", KeepHeaders: "some", Codecs: []string{"mp3"},
		Headers: []TrunkHeader{{Name: "Via", Value: "x"}, {Name: "X-A", Value: "1\r\nX-B: 2"}},
	}}
	_, err := NewDirectory(Resources{Trunks: []Trunk{bad}})
	if err == nil {
		t.Fatal("no mistake found")
	}
	for _, where := range []string{
		"backups[0]", "username", "register_expires", "country", "from_user", "identity", "diversion", "keep_headers", "codecs[0]",
		"headers[0].name", "headers[1].value",
	} {
		if !strings.Contains(err.Error(), "trunks[0]."+where) {
			t.Errorf("trunks[0].%s is not complained about:\n%v", where, err)
		}
	}
	good := Trunk{Name: "carrier", URI: "sip:carrier.example", Username: "account", TrunkSIP: TrunkSIP{
		Backups: []string{"sips:other.example"}, Register: true, RegisterExpires: Duration(time.Hour), NumberFormat: "national", Country: "de",
		FromUser: "account", Identity: "rpid", Diversion: "history", KeepHeaders: "none", Codecs: []string{"pcma"},
		Headers: []TrunkHeader{{Name: "X-Account", Value: "7"}}, Redirects: true,
	}}
	if _, err := NewDirectory(Resources{Trunks: []Trunk{good}}); err != nil {
		t.Error(err)
	}
}
