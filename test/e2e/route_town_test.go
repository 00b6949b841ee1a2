//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/auth"
	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/store"
	"github.com/offhook/offhook/test/e2e/harness"
)

// admin uses /api/v1 as the user boss.
type admin struct {
	*harness.Offhook
	token core.Secret
}

func newAdmin(t *testing.T, o *harness.Offhook) *admin {
	t.Helper()
	key, err := store.LoadKey(filepath.Join(o.Folder, "node.key"))
	if err != nil {
		t.Fatal(err)
	}
	token, err := auth.MintToken(key.Derive("tokens"), "boss", time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return &admin{o, token}
}

// do sends a request with a JSON body, nil for none, and wants 200 to 204. It
// returns what came.
func (a *admin) do(t *testing.T, method, path string, body any) string {
	t.Helper()
	var in bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&in).Encode(body); err != nil {
			t.Fatal(err)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), method, a.URL("/api/v1"+path), &in)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+a.token.Reveal())
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= 300 {
		t.Fatalf("%s %s: %s %s, %v", method, path, res.Status, out, err)
	}
	return string(out)
}

// anybody is a phone of a user that calls without being registered. A user has
// as many as it likes, each with events of its own.
func anybody(t *testing.T, o *harness.Offhook, user string) *harness.Phone {
	t.Helper()
	return harness.NewPhone(t, user, phone.Config{User: user, Password: password(user), Server: o.SIP})
}

// wantRung wants a call to ring a phone, and gives it up.
func (p *placed) wantRung(callee *harness.Phone) {
	p.t.Helper()
	callee.Await(phone.Incoming, soon)
	p.call.HangUp()
	p.Await(phone.Ended, soon)
	callee.Await(phone.Ended, soon)
}
