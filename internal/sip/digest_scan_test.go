package sip

import (
	"strings"
	"testing"

	"github.com/icholy/digest"
)

func TestParseDigestReply(t *testing.T) {
	const full = `Digest username="bob", realm="a, b=c", nonce="n", uri="sip:house;x=1", response="r", algorithm=MD5, cnonce="c", qop=auth, nc=0000000a`
	want := digestReply{"bob", "a, b=c", "n", "sip:house;x=1", "r", "MD5", "c", "auth", 10}
	for name, c := range map[string]struct {
		value string
		want  digestReply
		ok    bool
	}{
		"as in RFC 2617":       {full, want, true},
		"without blanks":       {strings.ReplaceAll(full, `", `, `",`), want, true},
		"folded, names upper":  {strings.ReplaceAll(strings.Replace(full, "qop", "QOP", 1), `", `, "\" ,\r\n\t"), want, true},
		"blanks around =":      {strings.Replace(full, `qop=auth`, `qop = auth `, 1), want, true},
		"everything quoted":    {strings.Replace(strings.Replace(full, `MD5`, `"MD5"`, 1), `0000000a`, `"0000000a"`, 1), want, true},
		"scheme in lower case": {strings.Replace(full, "Digest", "digest", 1), want, true},
		"unknown parameter":    {full + `, opaque="", x-y=z,`, want, true},
		"escapes":              {`Digest username="a\"b\\c"`, digestReply{username: `a"b\c`}, true},
		"empty value":          {`Digest username=""`, digestReply{}, true},
		"nothing":              {"Digest ", digestReply{}, true},
		"another scheme":       {"Basic abc", digestReply{}, false},
		"count not hex":        {`Digest nc=zzz`, digestReply{}, false},
		"count too long":       {`Digest nc=100000000`, digestReply{}, false},
		"never closed":         {`Digest username="bob`, digestReply{}, false},
		"closed by an escape":  {`Digest username="bob\"`, digestReply{}, false},
		"ends in an escape":    {`Digest username="bob\`, digestReply{}, false},
		"no comma":             {`Digest username="bob" realm="x"`, digestReply{}, false},
		"a word alone":         {`Digest username`, digestReply{}, false},
		"no value":             {`Digest username=, realm="x"`, digestReply{}, false},
	} {
		got, ok := parseDigestReply(c.value)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%s: %+v, %t", name, got, ok)
		}
	}
}

// FuzzParseDigestReply compares us with the client's library: what both understand,
// they understand alike. That one wants names in lower case.
func FuzzParseDigestReply(f *testing.F) {
	f.Add(`Digest username="a\"b", realm="r", nonce="n", uri="sip:x", response="0", nc=00000001, qop=auth`)
	f.Add(`Digest algorithm=MD5,username="ä"`)
	f.Fuzz(func(t *testing.T, v string) {
		got, ok := parseDigestReply(v)
		want, err := digest.ParseCredentials(v)
		if err != nil || !ok || strings.ToLower(v[1:]) != v[1:] || strings.ToValidUTF8(v, "") != v {
			return
		}
		if got.username != want.Username || got.realm != want.Realm || got.nonce != want.Nonce || got.uri != want.URI ||
			got.response != want.Response || int(got.count) != want.Nc {
			t.Errorf("%q:\n got %+v\nwant %+v", v, got, want)
		}
	})
}

func BenchmarkParseDigestReply(b *testing.B) {
	const v = `Digest username="bob", realm="example.com", nonce="AAAAAGkxl0mTQ0VbZ2bKZQqN0y1qkY0n0b2sF3bJm4c", uri="sip:example.com", ` +
		`response="6629fae49393a05397450978507c4ef1", algorithm=MD5, cnonce="0a4f113b", qop=auth, nc=00000001`
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := parseDigestReply(v); !ok {
			b.Fatal("not understood")
		}
	}
}
