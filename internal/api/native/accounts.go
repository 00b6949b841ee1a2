package native

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

// Account owns applications.
type Account struct {
	route.Account
	Kept
	Secrets
}

// Secrets are what an account logs in with, together with its key, and what its
// webhooks are signed with.
type Secrets struct {
	Secret          string `json:"secret,omitempty" readOnly:"true" doc:"Shown once, when it was generated."`
	SignatureSecret string `json:"signature_secret,omitempty" readOnly:"true" doc:"Shown once, when it was generated."`
}

type (
	newSecrets struct {
		ByName
		Body struct {
			Secret          string `json:"secret,omitempty" minLength:"8" maxLength:"128"`
			SignatureSecret string `json:"signature_secret,omitempty" minLength:"16" maxLength:"128"`
		}
	}
	secretsOut struct{ Body Secrets }
)

// accounts registers the operations of accounts.
func (a *API) accounts(h huma.API) {
	collection[Account]{
		kind: route.KindAccounts, word: "account",
		pick: func(r route.Resources, name string) []Account {
			return each(r.Accounts, func(x route.Account) (Account, bool) { return Account{Account: x}, meant(name, x.Key) })
		},
		name: func(v *Account) string { return v.Key },
		keep: func(v *Account) any { return v.Account },
		mark: func(v *Account, o Origin) { v.Origin = o },
		begin: func(v *Account) error {
			if v.Key == "" {
				v.Key = randomKey()
			}
			v.Secrets = Secrets{randomSecret(), randomSecret()}
			return nil
		},
		made: func(ctx context.Context, v *Account) error { return a.keepSecrets(ctx, v.Key, v.Secrets) },
		show: func(answer, made *Account) { answer.Secrets = made.Secrets },
	}.register(a, h)
	huma.Register(h, operation("rotate-account-secrets", http.MethodPost, "/api/v1/accounts/{name}/secrets",
		"Set the secrets of an account; without any, both are generated", http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity),
		func(ctx context.Context, in *newSecrets) (*secretsOut, error) {
			set, out := Secrets(in.Body), &secretsOut{}
			if set == (Secrets{}) {
				set = Secrets{randomSecret(), randomSecret()}
				out.Body = set
			}
			return out, a.change(ctx, func(ctx context.Context) error { return a.keepSecrets(ctx, in.Name, set) })
		})
}

func (a *API) keepSecrets(ctx context.Context, key string, s Secrets) error {
	return a.cfg.Store.SetAccountSecrets(ctx, key, core.Secret(s.Secret), core.Secret(s.SignatureSecret), a.cfg.Realm)
}

// randomKey returns a key as accounts have them: 8 hex digits.
func randomKey() string {
	var b [4]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// randomSecret returns a secret of 128 bits or more, and of more than 256 bits of
// text, as signatures want it.
func randomSecret() string { return strings.ToLower(rand.Text() + rand.Text()) }
