// Package app is what the Go examples share: a server for webhooks, and requests to
// offhook.
package app

import (
	"bytes"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"os"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// Flow is what a leg does: a list of verbs.
type Flow []map[string]any

// Fields are those of a webhook's query and body.
type Fields map[string]any

// Text returns a field, "" if it is no text.
func (f Fields) Text(name string) string {
	text, _ := f[name].(string)
	return text
}

// env returns a variable of the environment, or what stands for it.
func env(name, otherwise string) string {
	if value, ok := os.LookupEnv(name); ok {
		return value
	}
	return otherwise
}

// Here is the address of this program for webhooks.
func Here() string { return "http://localhost:" + env("PORT", "3000") }

// Handle answers a webhook on mux with the flow that answer returns; nil is 204.
func Handle(mux *http.ServeMux, path string, answer func(Fields) Flow) {
	mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		fields := Fields{}
		for name, values := range r.URL.Query() {
			fields[name] = values[0]
		}
		body := Fields{}
		if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&body); err == nil {
			maps.Copy(fields, body)
		}
		flow := answer(fields)
		if flow == nil {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(flow); err != nil {
			log.Print(err)
		}
	})
}

// Serve serves mux until the program ends, and tells of events.
func Serve(mux *http.ServeMux) {
	Handle(mux, "/event", func(f Fields) Flow {
		log.Print(f.Text("status"), f.Text("type"), " ", f.Text("uuid"))
		return nil
	})
	server := http.Server{Addr: ":" + env("PORT", "3000"), Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	log.Print("listening on ", Here())
	log.Fatal(server.ListenAndServe())
}

// Request sends a request to offhook.
func Request(method, path string, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequest(method, env("OFFHOOK", "http://localhost:8080")+path, bytes.NewReader(text)) //nolint:noctx // lives as long as the program
	if err != nil {
		return err
	}
	signed, err := token()
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+signed)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close() // only read
	if response.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s", method, path, response.Status)
	}
	return nil
}

// token signs the rights of the application for 15 minutes.
func token() (string, error) {
	key, err := privateKey()
	if err != nil {
		return "", err
	}
	now := time.Now()
	return jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"application_id": os.Getenv("APP_ID"), "iat": now.Unix(), "exp": now.Add(15 * time.Minute).Unix(), "jti": uuid.NewString(),
	}).SignedString(key)
}

func privateKey() (*rsa.PrivateKey, error) {
	text, err := os.ReadFile(env("PRIVATE_KEY", "private.key"))
	if err != nil {
		return nil, err
	}
	return jwt.ParseRSAPrivateKeyFromPEM(text)
}
