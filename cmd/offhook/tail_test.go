package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestTailPrintsOneLineForEachEvent: the first connection is lost after two events.
func TestTailPrintsOneLineForEachEvent(t *testing.T) {
	var queries []string
	events := []string{
		`{"at":"2026-03-02T09:12:44.031Z","kind":"ringing","leg":"l1","seq":2,"call":"c1","edge":"sip","direction":"outbound","from":{"number":"4917100"},"to":{"user":"a\u001b[2J\nb"}}`,
		`{"at":"2026-03-02T09:12:45.031Z","kind":"ended","leg":"l1","seq":3,"call":"c1","app":"app-1","edge":"sip","direction":"outbound","from":{},"to":{"trunk":"line"},"cause":17,"reason":"none","code":486}`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		queries = append(queries, r.URL.RawQuery)
		fmt.Fprintf(w, ": offhook\n\ndata: %s\n\n:\n\n", events[0]) //nolint:errcheck // a test
		if len(queries) > 1 {
			fmt.Fprintf(w, "data: %s\n\n", events[1]) //nolint:errcheck // a test
		}
	}))
	defer server.Close()
	tail := []string{"tail", "--url", server.URL, "--token", "good", "--leg", "l1", "--app", "app-1", "--count", "2"}
	code, stdout, stderr := offhook(t, tail...)
	if code != 0 {
		t.Fatal(stderr)
	}
	want := []string{
		`ringing   l1 outbound sip 4917100 -> a\x1b[2J\nb call=c1`,
		`ringing   l1 outbound sip 4917100 -> a\x1b[2J\nb call=c1`,
		`ended     l1 outbound sip unknown -> line call=c1 app=app-1 cause=17 code=486`,
	}
	var got []string
	for line := range strings.Lines(stdout) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		got = append(got, rest)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("printed\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(queries) != 2 || queries[0] != "app=app-1&leg=l1&limit=2" {
		t.Errorf("asked %q", queries)
	}
	if _, stdout, _ := offhook(t, append(tail, "--json")...); stdout != events[0]+"\n"+events[1]+"\n" {
		t.Errorf("--json printed %s", stdout)
	}
}
