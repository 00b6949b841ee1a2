package native_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestMethods asks by methods that a path does not have.
func TestMethods(t *testing.T) {
	w := newWorld(t, file())
	for _, tc := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{http.MethodPatch, "/api/v1/users/boss", http.StatusMethodNotAllowed, "GET, HEAD, PUT, DELETE"},
		{http.MethodPost, "/api/v1/users/boss", http.StatusMethodNotAllowed, "GET, HEAD, PUT, DELETE"},
		{http.MethodDelete, "/api/v1/users", http.StatusMethodNotAllowed, "GET, HEAD, POST"},
		{http.MethodGet, "/api/v1/apply", http.StatusMethodNotAllowed, "POST"},
		{http.MethodOptions, "/api/v1/users", http.StatusNoContent, "GET, HEAD, POST"},
		{http.MethodOptions, "/api/v1/nothing", http.StatusNotFound, ""},
		{http.MethodGet, "/api/v1/nothing", http.StatusNotFound, ""},
		{http.MethodPut, "/api/v1/users/", http.StatusNotFound, ""},
		{http.MethodPut, "/api/", http.StatusNotFound, ""},
		{http.MethodHead, "/api/v1/users", http.StatusOK, ""},
	} {
		status, header, text := w.raw(tc.method, tc.path, "")
		if status != tc.status || header.Get("Allow") != tc.allow {
			t.Errorf("%s %s: %d, allow %q; want %d, %q", tc.method, tc.path, status, header.Get("Allow"), tc.status, tc.allow)
		}
		if status >= 400 {
			w.decode(tc.method, tc.path, status, header, text)
		}
		if header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s %s lets pages of others in", tc.method, tc.path)
		}
	}
}

// TestErrorsQuoteNoSecrets wants single values repeated, and neither whole bodies nor
// passwords.
func TestErrorsQuoteNoSecrets(t *testing.T) {
	w := newWorld(t, file())
	for _, tc := range []struct {
		path, body string
		status     int
		quoted     string // "" for nothing
	}{
		{"/api/v1/users", `{"name":5}`, http.StatusUnprocessableEntity, `"value":5`},
		{"/api/v1/users", `{"name":"anna","password":"hunter2 hunter2"}`, http.StatusUnprocessableEntity, ""},
		{"/api/v1/users/clerk/credentials", `{"password":"hunter2"}`, http.StatusUnprocessableEntity, ""},
		{"/api/v1/apply", `{"users":[{"name":"anna","pasword":"hunter2"}]}`, http.StatusUnprocessableEntity, ""},
		{"/api/v1/apply", `{"users":[{"name":"anna","password":"hunter2"}] oops`, http.StatusBadRequest, ""},
		{"/api/v1/accounts/filed/secrets", `{"secret":"hunter2"}`, http.StatusUnprocessableEntity, ""},
	} {
		status, header, text := w.raw(http.MethodPost, tc.path, tc.body)
		w.decode(http.MethodPost, tc.path, status, header, text)
		if answer := string(text); status != tc.status || strings.Contains(answer, "hunter2") || tc.quoted == "" && strings.Contains(answer, `"value"`) || !strings.Contains(answer, tc.quoted) {
			t.Errorf("%s %s: %d %s", tc.path, tc.body, status, answer)
		}
	}
}
