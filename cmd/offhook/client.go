package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// access are the flags of commands that speak to a running exchange.
type access struct {
	URL   string      `default:"http://localhost:8080" env:"OFFHOOK_URL" help:"Where the exchange is."`
	Token core.Secret `env:"OFFHOOK_TOKEN" help:"Token of an admin. Not needed for an exchange that you started on this machine."`
}

// client returns who speaks to the exchange.
func (a access) client(ctx context.Context) (apiClient, error) {
	base := strings.TrimSuffix(a.URL, "/")
	token := a.Token
	if token == "" {
		var err error
		if token, err = operatorToken(ctx, base); err != nil {
			return apiClient{}, err
		}
	}
	return apiClient{base: base + "/api/v1/", token: token, http: &http.Client{Timeout: time.Minute}}, nil
}

// apiClient speaks to /api/v1.
type apiClient struct {
	base  string
	token core.Secret
	http  *http.Client
}

// problemError is a refusal, RFC 9457.
type problemError struct {
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Errors []struct {
		Message  string `json:"message"`
		Location string `json:"location"`
	} `json:"errors"`

	after time.Duration // Retry-After, 0 if there was none
}

// Error implements error.
func (p *problemError) Error() string {
	parts := []string{p.Detail}
	if p.Status == http.StatusUnauthorized {
		parts = []string{"the exchange does not accept the token: offhook token --user NAME makes one for a user with role: admin"}
	}
	for _, e := range p.Errors {
		parts = append(parts, e.Location+": "+e.Message)
	}
	return strings.Join(parts, "; ")
}

// maxAnswer bounds what is read of an answer, in bytes: a line for each of a hundred
// thousand resources.
const maxAnswer = 16 << 20

// longestWait is the longest that we wait when we asked too much. A lock-out
// after failed logins is longer, and told.
const longestWait = 10 * time.Second

// do does a request without a body, and without an answer that matters.
func (c apiClient) do(ctx context.Context, method, path string) error {
	return c.ask(ctx, method, path, nil, nil)
}

// ask does a request and decodes the answer, if into is not nil. An exchange that
// wants us to slow down is given its time.
func (c apiClient) ask(ctx context.Context, method, path string, body, into any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	for {
		err := c.once(ctx, method, path, text, into)
		p, ok := errors.AsType[*problemError](err)
		if !ok || p.Status != http.StatusTooManyRequests || p.after <= 0 || p.after > longestWait {
			return err
		}
		select {
		case <-time.After(p.after):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (c apiClient) once(ctx context.Context, method, path string, text []byte, into any) error {
	resp, err := c.send(ctx, method, path, text)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return err
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return refusalOf(resp, answer)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}

// send does a request and returns the answer, whose body the caller closes. A null
// body is none.
func (c apiClient) send(ctx context.Context, method, path string, text []byte) (*http.Response, error) {
	if string(text) == "null" {
		text = nil
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token.Reveal())
	if text != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if failed, ok := errors.AsType[*net.OpError](err); ok && failed.Op == "dial" {
		return nil, fmt.Errorf("nothing answers at %s: is the exchange running there? (%w)", strings.TrimSuffix(c.base, "/api/v1/"), failed)
	}
	return resp, err
}

// refusalOf reads a refusal.
func refusalOf(resp *http.Response, answer []byte) *problemError {
	p := &problemError{Status: resp.StatusCode, Detail: resp.Status}
	if json.Unmarshal(answer, p) != nil || p.Detail == "" {
		p.Detail = resp.Status // not one of our exchanges
	}
	p.Status = resp.StatusCode
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil {
		p.after = time.Duration(seconds) * time.Second
	}
	return p
}
