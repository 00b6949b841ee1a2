package sipedge

import (
	"slices"
	"strings"
	"testing"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/sip"
)

func TestApplicationsSeePrivateHeadersWithTheirSpelling(t *testing.T) {
	carrier := newPeer(t, "127.0.0.3", nil)
	b := newBench(t, carrier.at)
	headers := []sip.Header{
		sip.NewHeader("X-OpenTok-SessionId", "1_MX40"), sip.NewHeader("x-lower", "a"), sip.NewHeader("User-to-User", "56a390;encoding=hex"),
		sip.NewHeader("X-Nexmo-Trace", "ours"), sip.NewHeader("P-Charge-Info", "<sip:pay@example.com>"),
		sip.NewHeader("X-Long", strings.Repeat("x", maxShownBytes+1)),
	}
	want := []core.Header{{Name: "X-OpenTok-SessionId", Value: "1_MX40"}, {Name: "x-lower", Value: "a"}, {Name: "User-to-User", Value: "56a390;encoding=hex"}}
	for len(want) < maxShown {
		headers = append(headers, sip.NewHeader("X-More", "y"))
		want = append(want, core.Header{Name: "X-More", Value: "y"})
	}
	headers = append(headers, sip.NewHeader("X-Too-Many", "z"))
	_, ev := newOutcome()
	carrier.stack.Invite(sip.InviteRequest{
		RequestURI: uri("12995558888", b.at), From: sip.Address{URI: uri("+12995550100", carrier.at)},
		To: sip.Address{URI: uri("12995558888", b.at)}, ContactUser: "caller", Body: []byte(offerSDP), Headers: headers,
	}, ev)
	if got := wait(b, anyOf[core.Offered]).Headers; !slices.Equal(got, want) {
		t.Errorf("offered with %q, want %q", got, want)
	}
}

func TestApplicationsSetPrivateHeaders(t *testing.T) {
	carrier := newPeer(t, "127.0.0.3", nil)
	b := newBench(t, carrier.at)
	b.do(core.Ring{
		LegRef: core.LegRef{Leg: "out", Edge: core.EdgeSIP}, Call: "c", // for nobody: there is no Caller
		Target: core.Target{URI: "sip:bob@" + carrier.at.String()}, From: core.Party{Number: "12995558888"},
		Headers: []core.Header{
			{Name: "X-OpenTok-SessionId", Value: "1_MX40"},
			{Name: "User-to-User", Value: "ab"},
			{Name: "Route", Value: "<sip:evil>"},
			{Name: "X-Split", Value: "a\r\nVia: x"},
			{Name: "X-Bad Name", Value: "a"},
		},
	})
	req := next(t, "INVITE", carrier.calls).in.Request()
	var got []string
	for _, h := range req.Headers() {
		if goesOn(h.Name()) {
			got = append(got, h.Name()+": "+h.Value())
		}
	}
	if want := []string{"X-OpenTok-SessionId: 1_MX40", "User-to-User: ab"}; !slices.Equal(got, want) || sip.HeaderValue(req, "Route") != "" {
		t.Errorf("set %q, want %q", got, want)
	}
	if from := req.From().Address; from.User != "12995558888" || from.Host != realm {
		t.Errorf("From %v", from)
	}
}

func TestHeadersOfTheApplicationGoBeforeTheCallers(t *testing.T) {
	carried := []sip.Header{sip.NewHeader("X-Account", "7"), sip.NewHeader("X-Mine", "1")}
	var got []string
	for _, h := range withHeaders(carried, []core.Header{{Name: "x-account", Value: "8"}, {Name: "X-New", Value: "9"}}) {
		got = append(got, h.Name()+": "+h.Value())
	}
	if want := []string{"X-Mine: 1", "x-account: 8", "X-New: 9"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// The name of an application's user may be any text, and is no SIP address.
func TestUserOfAnApplicationCallsWithoutNumber(t *testing.T) {
	carrier := newPeer(t, "127.0.0.3", nil)
	b := newBench(t, carrier.at)
	b.do(core.Ring{
		LegRef: core.LegRef{Leg: "out", Edge: core.EdgeSIP}, Call: "c",
		Target: core.Target{URI: "sip:bob@" + carrier.at.String()}, From: core.Party{User: core.UserID{App: "app", Name: "Ål <x> @y"}},
	})
	if from := next(t, "INVITE", carrier.calls).in.Request().From().Address; from.User != anonymous {
		t.Errorf("From %v", from)
	}
}

func TestAccountCallsWithKeyAndSecret(t *testing.T) {
	b := newBench(t, nobody)
	client := newPeer(t, "127.0.0.1", nil)
	_, ev := newOutcome()
	client.invite(b, "12995558888", &sip.Credentials{Username: "abcd1234", Password: "secret"}, ev)
	if got := wait(b, anyOf[core.Offered]); got.From.User != (core.UserID{App: core.AccountApp, Name: "abcd1234"}) || got.To != "12995558888" {
		t.Errorf("offered %+v", got)
	}
	if res := client.register(b, "abcd1234", "secret", "60"); res.StatusCode != 403 {
		t.Errorf("an account registers: %d", res.StatusCode)
	}
	wrong, ev := newOutcome()
	client.invite(b, "12995558888", &sip.Credentials{Username: "abcd1234", Password: "guess"}, ev)
	if res := next(t, "refusal", wrong.failed); res.StatusCode != 403 {
		t.Errorf("a wrong secret: %d", res.StatusCode)
	}
}
