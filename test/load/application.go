package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	// appID names the application, appNumber is the number that leads to it.
	appID     = "11111111-2222-3333-4444-555555555555"
	appNumber = "12995557777"
)

// application is a program that steers calls, as the server knows it.
type application struct {
	key    *rsa.PrivateKey
	public string // PEM
	url    string
	server http.Server
	client http.Client
	flow   func(*http.Request) any // answers /answer
	hooks  atomic.Int64            // webhooks that came
}

// startApplication serves webhooks; flow answers those that ask for one.
func startApplication(flow func(*http.Request) any) (*application, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0") //nolint:noctx // at once
	if err != nil {
		return nil, err
	}
	a := &application{
		key: key, public: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
		url: "http://" + listener.Addr().String(), client: http.Client{Timeout: 5 * time.Second}, flow: flow,
	}
	a.server = http.Server{Handler: a, ReadHeaderTimeout: 5 * time.Second}
	go a.server.Serve(listener) //nolint:errcheck // until close
	return a, nil
}

// openAppSite starts a server with phones and an application.
func (b *bench) openAppSite(phones int, flow func(*http.Request) any) (*site, error) {
	app, err := startApplication(flow)
	if err != nil {
		return nil, err
	}
	h := newHouse(0, phones)
	h.app = app
	site, err := b.openSite(h)
	if err != nil {
		app.close()
	}
	return site, err
}

func (a *application) close() {
	_ = a.server.Close()
	a.client.CloseIdleConnections()
}

// rest closes the connections that are kept for the next request, on both sides, so
// that they do not pass for something left over.
func (a *application) rest() {
	a.client.CloseIdleConnections()
	a.server.SetKeepAlivesEnabled(false)
	a.server.SetKeepAlivesEnabled(true)
}

// ServeHTTP takes a webhook.
func (a *application) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.hooks.Add(1)
	if r.URL.Path != "/answer" {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(a.flow(r)) // the server may have hung up
}

// yaml writes the application's part of the resources.
func (a *application) yaml() string {
	return fmt.Sprintf(`  applications:
    - id: %s
      public_key: %q
      answer_url: %s/answer
      event_url: %s/event
      calls_per_second: 1000
      requests_per_second: 10000
      members: 200
  numbers:
    - {number: %q, application: %s}
`, appID, a.public, a.url, a.url, appNumber, appID)
}

// create places a call to a user of the house and returns its leg.
func (a *application) create(server, user string, more map[string]any) (leg string, err error) {
	body := map[string]any{
		"to":   []any{map[string]string{"type": "vbc", "extension": user}},
		"from": map[string]string{"type": "phone", "number": appNumber},
	}
	maps.Copy(body, more)
	var created struct {
		UUID string `json:"uuid"`
	}
	err = a.request(http.MethodPost, server+"/v1/calls", body, &created)
	return created.UUID, err
}

// hangUp ends a leg.
func (a *application) hangUp(server, leg string) error {
	return a.request(http.MethodPut, server+"/v1/calls/"+leg, map[string]string{"action": "hangup"}, nil)
}

// request sends body and reads the answer into result, if that is not nil.
func (a *application) request(method, url string, body, result any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(context.Background(), method, url, bytes.NewReader(text))
	if err != nil {
		return err
	}
	token, err := a.token()
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	response, err := a.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return err
	case response.StatusCode >= 300:
		return fmt.Errorf("%s %s: %s %s", method, url, response.Status, answer)
	case result == nil:
		return nil
	}
	return json.Unmarshal(answer, result)
}

// token is one of its own for each request, as the SDKs do.
func (a *application) token() (string, error) {
	now := time.Now()
	return jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"application_id": appID, "iat": now.Unix(), "exp": now.Add(15 * time.Minute).Unix(), "jti": rand.Text(),
	}).SignedString(a.key)
}
