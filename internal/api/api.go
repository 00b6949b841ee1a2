// Package api is what the REST dialects share: how a kind of error is said in
// HTTP, and who is asking.
package api

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strings"

	"github.com/offhook/offhook/internal/core"
)

// Status returns the HTTP status for a kind of error.
func Status(kind core.Kind) int {
	switch kind {
	case core.Invalid:
		return http.StatusUnprocessableEntity
	case core.Unauthorized:
		return http.StatusUnauthorized
	case core.Forbidden:
		return http.StatusForbidden
	case core.NotFound:
		return http.StatusNotFound
	case core.Conflict:
		return http.StatusConflict
	case core.Unavailable:
		return http.StatusServiceUnavailable
	case core.Internal:
	}
	return http.StatusInternalServerError
}

// Tokens logs in by token; package auth does it. Errors are Unauthorized, or
// Unavailable for a source that failed too often.
type Tokens interface {
	Token(ctx context.Context, source netip.Addr, token core.Secret) (core.UserID, error)
}

// Login returns the user whose bearer token (RFC 6750 section 2.1) the header
// Authorization carries. Neither cookies nor the URL are looked at: a page of
// somebody else cannot ask in a visitor's name.
func Login(ctx context.Context, tokens Tokens, authorization, remote string) (core.UserID, error) {
	scheme, token, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return core.UserID{}, &core.Error{Op: "api.Login", Kind: core.Unauthorized, Err: errors.New("no bearer token")}
	}
	source, err := netip.ParseAddrPort(remote)
	if err != nil {
		return core.UserID{}, &core.Error{Op: "api.Login", Err: err}
	}
	return tokens.Token(ctx, source.Addr().Unmap(), core.Secret(strings.TrimSpace(token)))
}
