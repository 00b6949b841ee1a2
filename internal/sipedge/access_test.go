package sipedge

import (
	"testing"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/sip"
)

func TestIdentityOfTheCaller(t *testing.T) {
	type headers map[string]string
	for _, c := range []struct {
		name    string
		headers headers
		want    core.Party
	}{
		{"From", nil, core.Party{Number: "+12995550100", Name: "Zed"}},
		{"asserted", headers{"P-Asserted-Identity": `"Main" <sip:+1299555@carrier.example>`}, core.Party{Number: "+1299555", Name: "Zed"}},
		{"asserted, escaped", headers{"P-Asserted-Identity": "<sip:%2B1299@carrier.example>"}, core.Party{Number: "+1299", Name: "Zed"}},
		{"asserted, and not to be shown", headers{"P-Asserted-Identity": "<sip:+1299555@carrier.example>", "Privacy": "id"}, core.Party{}},
		{"several kinds of privacy", headers{"Privacy": "session; Header;critical"}, core.Party{}},
		{"privacy of what we do not pass on", headers{"Privacy": "session;critical"}, core.Party{Number: "+12995550100", Name: "Zed"}},
		{"no privacy wanted", headers{"Privacy": "none"}, core.Party{Number: "+12995550100", Name: "Zed"}},
	} {
		req := sip.NewRequest(sip.INVITE, sip.Uri{Scheme: "sip", Host: "127.0.0.1"})
		from := sip.Uri{Scheme: "sip", User: "+12995550100", Host: "carrier.example"}
		req.AppendHeader(&sip.FromHeader{DisplayName: "Zed", Address: from, Params: sip.Params{}})
		for name, value := range c.headers {
			req.AppendHeader(sip.NewHeader(name, value))
		}
		if got := identity(req); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}
