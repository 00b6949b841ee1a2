package native

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/offhook/offhook/internal/core"
)

// Credential is the login of a user's phones and pages.
type Credential struct {
	User     string `json:"user" doc:"User name, for digest and for pages."`
	Realm    string `json:"realm" doc:"What phones log in to."`
	Password string `json:"password,omitempty" doc:"The generated password, shown this once. Left out when the request gave one."`
}

type (
	newCredential struct {
		ByName
		Body struct {
			Password string `json:"password,omitempty" minLength:"10" maxLength:"256" doc:"Left out, one is generated."`
		}
	}
	credentialOut struct{ Body Credential }
	newSecret     struct {
		ByName
		Body struct {
			Password string `json:"password" maxLength:"256" doc:"Empty takes it away."`
		}
	}
)

// credentials registers what concerns passwords. They are written, never read.
func (a *API) credentials(h huma.API) {
	const path = "/api/v1/users/{name}/credentials"
	errs := []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity}
	huma.Register(h, operation("set-credentials", http.MethodPost, path, "Create or rotate the password of a user", errs...),
		func(ctx context.Context, in *newCredential) (*credentialOut, error) {
			out := &credentialOut{Credential{User: in.Name, Realm: a.cfg.Realm}}
			password := in.Body.Password
			if password == "" {
				password = strings.ToLower(rand.Text()) // 128 bits or more
				out.Body.Password = password
			}
			return out, a.setPassword(ctx, in.Name, core.Secret(password))
		})
	huma.Register(h, operation("delete-credentials", http.MethodDelete, path, "Take the password of a user away", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in *ByName) (*struct{}, error) { return nil, a.setPassword(ctx, in.Name, "") })
	huma.Register(h, noContent(operation("set-trunk-password", http.MethodPut, "/api/v1/trunks/{name}/password", "Set the password of a trunk", errs...)),
		func(ctx context.Context, in *newSecret) (*struct{}, error) {
			return nil, a.change(ctx, func(ctx context.Context) error {
				return a.cfg.Store.SetTrunkPassword(ctx, in.Name, core.Secret(in.Body.Password))
			})
		})
}

func (a *API) setPassword(ctx context.Context, user string, password core.Secret) error {
	return a.changeOf(ctx, core.UserID{Name: user}, func(ctx context.Context) error {
		return a.cfg.Store.SetPassword(ctx, user, password, a.cfg.Realm)
	})
}

// noContent makes an operation that answers with no body.
func noContent(op huma.Operation) huma.Operation {
	op.DefaultStatus = http.StatusNoContent
	return op
}
