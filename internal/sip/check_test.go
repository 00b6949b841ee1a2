package sip

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
)

func TestCheckRefusesBeforeTheHandler(t *testing.T) {
	good := request("INVITE", "sip:x@y", peerAddr, "1", "a", "", 1, "")
	for name, c := range map[string]struct{ change, to, want string }{
		"good":                  {"", "", "200"},
		"no hops left":          {"Max-Forwards: 70", "Max-Forwards: 0", "483"},
		"unknown extension":     {"Max-Forwards", "Require: timer, Foo\r\nMax-Forwards", "420"},
		"known extension":       {"Max-Forwards", "Require: TIMER\r\nMax-Forwards", "200"},
		"version":               {"y SIP/2.0\r\n", "y SIP/3.0\r\n", "505"},
		"scheme":                {"INVITE sip:x@y", "INVITE http://x", "416"},
		"telephone number":      {"INVITE sip:x@y", "INVITE tel:+15551234", "200"},
		"method":                {"INVITE", "FLY", "501"},
		"another method's CSeq": {"CSeq: 1 INVITE", "CSeq: 1 BYE", "400"},
		"two From":              {"Max-Forwards", "f: <sip:x@y>;tag=2\r\nMax-Forwards", "400"},
		"no Call-ID":            {"Call-ID: call1\r\n", "", "400"},
		"empty body type":       {"Content-Length: 0", "Content-Type: text/plain\r\nContent-Length: 0", "200"},
		"accepts all":           {"Max-Forwards", "Accept: text/plain, */*;q=0.1\r\nMax-Forwards", "200"},
		"accepts no SDP":        {"Max-Forwards", "Accept: text/plain\r\nMax-Forwards", "406"},
		"compact headers":       {"From:", "f:", "200"},
		"Via of something else": {"Via: SIP/2.0", "Via: HTTP/1.1", "400"},
		"line feed in a value":  {"Max-Forwards", "Subject: a\nb: c\r\nMax-Forwards", "400"},
	} {
		t.Run(name, func(t *testing.T) {
			var answer string
			l := &captureLink{proto: UDP, got: func(b []byte) { answer = string(b) }}
			s := NewStack(Config{Handler: okHandler, RefuseNoHops: true, Extensions: []string{"timer"}})
			defer s.Close()
			if err := s.receive([]byte(strings.ReplaceAll(good, c.change, c.to)), Flow{link: l, remote: l.peer()}); err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(answer, "SIP/2.0 "+c.want) {
				t.Errorf("answer %q, want %s", answer, c.want)
			}
			if c.want == "420" && field(answer, "Unsupported") != "Foo" {
				t.Errorf("Unsupported: %q", field(answer, "Unsupported"))
			}
		})
	}
}

func TestReasons(t *testing.T) {
	req := NewRequest(BYE, Uri{})
	req.AppendHeader(NewHeader("Reason", `SIP ;cause=500; text="Unhold; Failed, \"badly\""`))
	req.AppendHeader(NewHeader("reason", `Q.850;cause=16, preemption;text=x`))
	want := []Reason{{"SIP", 500, `Unhold; Failed, \"badly\"`}, {"Q.850", 16, ""}}
	if got := Reasons(req); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestStrandKeepsOrderAndSurvivesPanics(t *testing.T) {
	s := &strand{log: slog.New(slog.DiscardHandler)}
	var got []int
	s.do(func() {
		s.do(func() { got = append(got, 2) }) // from inside: later
		got = append(got, 1)
		s.do(func() { panic("bug") })
		s.do(func() { got = append(got, 3) })
	})
	s.do(func() { got = append(got, 4) })
	if !slices.Equal(got, []int{1, 2, 3, 4}) {
		t.Errorf("order %v", got)
	}
}
