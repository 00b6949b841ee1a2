//go:build e2e

package e2e

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/golang-jwt/jwt/v5"

	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

const appID = "11111111-2222-3333-4444-555555555555"

// application is somebody's program that signs tokens for its own users.
type application struct {
	key    *rsa.PrivateKey
	public []byte // PEM
}

func newApplication(t *testing.T) *application {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return &application{key: key, public: pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})}
}

// resources are the application's lines of a configuration.
func (a *application) resources() string {
	text := strings.ReplaceAll(strings.TrimSpace(string(a.public)), "\n", "\n        ")
	return "  applications:\n    - id: " + appID + "\n      public_key: |\n        " + text + "\n"
}

// token signs claims for a user.
func token(t *testing.T, method jwt.SigningMethod, key crypto.PrivateKey, claims jwt.MapClaims) string {
	t.Helper()
	all := jwt.MapClaims{
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(), "jti": rand.Text(), "application_id": appID,
	}
	for k, v := range claims {
		if all[k] = v; v == nil {
			delete(all, k)
		}
	}
	signed, err := jwt.NewWithClaims(method, all).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// device is a client of /ws that is not our SDK.
type device struct {
	t      *testing.T
	conn   *websocket.Conn
	events chan map[string]any
}

// connect opens /ws without logging in.
func connect(t *testing.T, o *harness.Offhook) *device {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), "ws://"+o.HTTP+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	d := &device{t: t, conn: conn, events: make(chan map[string]any, 1000)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(d.events)
		for {
			_, data, err := conn.Read(t.Context())
			var ev map[string]any
			if err != nil || json.Unmarshal(data, &ev) != nil {
				return
			}
			d.events <- ev
		}
	}()
	t.Cleanup(func() {
		_ = conn.CloseNow()
		<-done
	})
	return d
}

// ask sends a request and returns the answer to it; events before it are dropped.
func (d *device) ask(request map[string]any) map[string]any {
	d.t.Helper()
	id := rand.Text()
	request["id"] = id
	data, err := json.Marshal(request)
	if err != nil {
		d.t.Fatal(err)
	}
	if err := d.conn.Write(d.t.Context(), websocket.MessageText, data); err != nil {
		d.t.Fatal(err)
	}
	for {
		if ev := testkit.Receive(d.t, d.events, soon, "answer to "+fmt.Sprint(request["type"])); ev["id"] == id {
			return ev
		}
	}
}

func (d *device) logIn(credentials map[string]any) map[string]any {
	d.t.Helper()
	credentials["type"], credentials["protocol"] = "login", 1
	return d.ask(credentials)
}

// TestApplicationSpeaksForItsOwnUsersOnly: an application whose user is called
// like a user of the house gets neither that user's calls nor into the house.
func TestApplicationSpeaksForItsOwnUsersOnly(t *testing.T) {
	app := newApplication(t)
	o := harness.NewOffhook(t, fmt.Sprintf(fraudResources, "127.0.0.2:9", app.resources()))
	desk := harness.NewUser(t, o, "desk", "purple-monkey", phone.Config{})
	d := connect(t, o)
	hello := d.logIn(map[string]any{"token": token(t, jwt.SigningMethodRS256, app.key, jwt.MapClaims{"sub": "desk"})})
	user, _ := hello["user"].(map[string]any)
	if hello["type"] != "hello" || user["user"] != appID+"/desk" {
		t.Fatalf("logged in as %v", hello)
	}

	// The house user is called: the device of the application's user stays still.
	caller := newLine(t, o)
	call, err := caller.Dial("+"+fraudNumber, phone.DialOptions{From: phone.Party{Number: "+12995550100"}})
	if err != nil {
		t.Fatal(err)
	}
	desk.Await(phone.Incoming, soon)
	d.ask(map[string]any{"type": "ping"}) // whatever was sent before is here now
	call.HangUp()
	caller.Await(phone.Ended, soon)

	// It calls the house, a number of the house, and the world.
	before := len(desk.Wire().Find("< INVITE"))
	for _, to := range []string{"desk", fraudNumber, premiumNumber} {
		d.calls(to)
	}
	if rung := len(desk.Wire().Find("< INVITE")) - before; rung != 0 {
		t.Errorf("an application's user rang the house %d times", rung)
	}
	for _, l := range o.AwaitLegs(t, soon) {
		if l.Direction == "outbound" && l.User != "desk" && l.Trunk == "" {
			t.Errorf("leg to %q", l.User)
		}
	}
}

// calls places a call and waits until it ended, however that may be.
func (d *device) calls(to string) {
	d.t.Helper()
	reply := d.ask(map[string]any{"type": "call", "to": to})
	if reply["type"] == "error" {
		return // refused at once
	}
	for {
		ev := testkit.Receive(d.t, d.events, soon, "end of the call to "+to)
		if ev["type"] == "incoming" || ev["type"] == "up" {
			d.t.Errorf("call to %s: %v", to, ev)
		}
		if ev["type"] == "ended" && ev["leg"] == reply["leg"] {
			return
		}
	}
}

// TestTokensThatLie are refused, all with the same words.
func TestTokensThatLie(t *testing.T) {
	app, other := newApplication(t), newApplication(t)
	o := harness.NewOffhook(t, fmt.Sprintf(fraudResources, "127.0.0.2:9", app.resources()))
	desk := jwt.MapClaims{"sub": "desk"}
	none := func(claims jwt.MapClaims) string {
		return token(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims)
	}
	house := jwt.MapClaims{"sub": "desk", "application_id": nil}
	for _, c := range []struct{ name, token string }{
		{"no signature", none(desk)},
		{"no signature, of the house", none(house)},
		{"HS256 by the public key", token(t, jwt.SigningMethodHS256, app.public, desk)},
		{"HS256 by the public key, of the house", token(t, jwt.SigningMethodHS256, app.public, house)},
		{"another's key", token(t, jwt.SigningMethodRS256, other.key, desk)},
		{"RS256 of no application", token(t, jwt.SigningMethodRS256, app.key, house)},
		{"unknown application", token(t, jwt.SigningMethodRS256, app.key, jwt.MapClaims{"sub": "desk", "application_id": "11111111-2222-3333-4444-666666666666"})},
		{"expired", token(t, jwt.SigningMethodRS256, app.key, jwt.MapClaims{"sub": "desk", "exp": time.Now().Add(-time.Hour).Unix(), "iat": time.Now().Add(-2 * time.Hour).Unix()})},
		{"good for a year", token(t, jwt.SigningMethodRS256, app.key, jwt.MapClaims{"sub": "desk", "exp": time.Now().Add(365 * 24 * time.Hour).Unix()})},
		{"nobody", token(t, jwt.SigningMethodRS256, app.key, jwt.MapClaims{"sub": ""})},
		{"no token at all", "x.y.z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			begun := time.Now()
			res := connect(t, o).logIn(map[string]any{"token": c.token})
			if res["type"] != "error" || res["kind"] != "unauthorized" || res["message"] != "login failed" {
				t.Errorf("answer %v", res)
			}
			if took := time.Since(begun); took < 500*time.Millisecond {
				t.Errorf("refused after %v: no time for guessing many", took)
			}
		})
	}
}

// TestLoginTellsNothingAboutUsers: an unknown user and a wrong password look the
// same in a page too.
func TestLoginTellsNothingAboutUsers(t *testing.T) {
	b := newBank(t, "")
	times := map[string][]time.Duration{}
	for range 10 {
		for _, user := range []string{"sales", "nobody"} {
			begun := time.Now()
			res := connect(t, b.Offhook).logIn(map[string]any{"user": user, "password": "wrong"})
			times[user] = append(times[user], time.Since(begun))
			if res["kind"] != "unauthorized" || res["message"] != "login failed" {
				t.Errorf("%s: %v", user, res)
			}
		}
	}
	known, unknown := median(times["sales"]), median(times["nobody"])
	if diff := (known - unknown).Abs(); diff > 50*time.Millisecond {
		t.Errorf("medians of 10: known user %v, unknown user %v", known, unknown)
	}
}
