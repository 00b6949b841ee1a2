package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestRequestsOnTheWire(t *testing.T) {
	params := []Param{
		String("to", "12995558888"),
		String("from_user", `Ann "A" <a&b>`+"\n\u2028ü"),
		{"custom_data", json.RawMessage(`{"to":"100","n":1}`)},
		{"start_time", json.RawMessage(`null`)},
		{"rate", nil},
		{"timed_out", json.RawMessage(`true`)},
	}
	for _, c := range []struct {
		name, method, url string
		body              []byte
		wantURL, wantBody string
		payload           string
	}{
		{
			"POST", "", "http://app.test/event?leg=a", nil, "http://app.test/event?leg=a",
			`{"to":"12995558888","from_user":"Ann \"A\" <a&b>\n` + "\u2028ü" + `","custom_data":{"to":"100","n":1},"start_time":null,"rate":null,"timed_out":true}`, "",
		},
		{"POST of a body", "POST", "http://app.test/", []byte(`{"a":1}`), "http://app.test/", `{"a":1}`, ""},
		{
			"GET", "GET", "https://app.test/answer?peer_uuid=1+2&empty#top", nil,
			"https://app.test/answer?peer_uuid=1+2&empty&to=12995558888&from_user=Ann+%22A%22+%3Ca%26b%3E%0A%E2%80%A8%C3%BC&custom_data=%7B%22to%22%3A%22100%22%2C%22n%22%3A1%7D&timed_out=true",
			"",
			`{"peer_uuid":"1 2","empty":"","to":"12995558888","from_user":"Ann \"A\" <a&b>\n` + "\u2028ü" + `","custom_data":"{\"to\":\"100\",\"n\":1}","timed_out":"true"}`,
		},
		{"GET without a query", "GET", "https://app.test", nil, "https://app.test?" + "to=12995558888&from_user=", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := newRequest(Target{URL: c.url, Method: c.method}, params, c.body)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(r.URL, c.wantURL) || string(r.Body) != c.wantBody {
				t.Errorf("%s\n%s\nwant\n%s\n%s", r.URL, r.Body, c.wantURL, c.wantBody)
			}
			payload, err := r.payload()
			if want := c.wantBody + c.payload; err != nil || want != "" && string(payload) != want {
				t.Errorf("signed is %s, %v, want %s", payload, err, want)
			}
		})
	}
	for _, bad := range []Target{{URL: "ftp://app.test/"}, {URL: "app.test/x"}, {URL: "http://%zz"}, {URL: ""}, {URL: "http://a", Method: "PUT"}, {URL: "http://"}} {
		if r, err := newRequest(bad, nil, nil); err == nil {
			t.Errorf("%+v is taken: %+v", bad, r)
		}
	}
}

func TestSignature(t *testing.T) {
	s := Signer{Key: []byte("secret of 32 bytes or thereabouts"), APIKey: "abcd1234", App: "11111111-2222-3333-4444-555555555555"}
	parts := strings.Split(s.Token([]byte(`{"a":1}`), time.Unix(1_700_000_000, 0)), ".")
	if len(parts) != 3 {
		t.Fatal(parts)
	}
	mac := hmac.New(sha256.New, s.Key)
	mac.Write([]byte(parts[0] + "." + parts[1]))
	if want := base64.RawURLEncoding.EncodeToString(mac.Sum(nil)); parts[2] != want {
		t.Errorf("signature %s, want %s", parts[2], want)
	}
	header, _ := base64.RawURLEncoding.DecodeString(parts[0])
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || string(header) != `{"alg":"HS256","typ":"JWT"}` {
		t.Fatalf("header %s, %v", header, err)
	}
	var claims struct {
		IAT         int64  `json:"iat"`
		JTI         string `json:"jti"`
		ISS         string `json:"iss"`
		PayloadHash string `json:"payload_hash"`
		APIKey      string `json:"api_key"`
		App         string `json:"application_id"`
		Exp         *int64 `json:"exp"`
	}
	if err := json.Unmarshal(text, &claims); err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256([]byte(`{"a":1}`))
	if claims.IAT != 1_700_000_000 || claims.ISS != "Vonage" || claims.PayloadHash != hex.EncodeToString(hash[:]) ||
		claims.APIKey != s.APIKey || claims.App != s.App || claims.Exp != nil {
		t.Errorf("%s", text)
	}
	if len(claims.JTI) != 36 || claims.JTI[14] != '4' || !strings.ContainsRune("89ab", rune(claims.JTI[19])) {
		t.Errorf("jti %q is no UUID of version 4", claims.JTI)
	}
	if a, b := s.Token(nil, time.Now()), s.Token(nil, time.Now()); a == b || strings.Contains(a, "payload_hash") {
		t.Error("two tokens are the same")
	}
}
