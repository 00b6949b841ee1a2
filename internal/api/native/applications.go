package native

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

// Application is a program that steers calls.
type Application struct {
	route.Application
	Kept
	Numbers    []string `json:"numbers,omitempty" readOnly:"true" doc:"The numbers that lead to it."`
	PrivateKey string   `json:"private_key,omitempty" readOnly:"true" doc:"PKCS #8 in PEM, shown once, when the key pair was generated; it is kept nowhere."`
}

type (
	keyPair struct {
		PublicKey  string `json:"public_key"`
		PrivateKey string `json:"private_key" doc:"PKCS #8 in PEM, shown this once."`
	}
	byNumber struct {
		ByName
		Number string `path:"number" maxLength:"64"`
	}
)

// applications registers the operations of applications.
func (a *API) applications(h huma.API) {
	collection[Application]{
		kind: route.KindApplications, word: "application", pick: pickApplications,
		name: func(v *Application) string { return v.ID },
		keep: func(v *Application) any { return v.Application },
		mark: func(v *Application, o Origin) { v.Origin = o },
		begin: func(v *Application) (err error) {
			if v.ID == "" {
				v.ID = uuid.NewString()
			}
			if v.PrivateKey = ""; v.PublicKey == "" {
				v.PublicKey, v.PrivateKey, err = newKeyPair()
			}
			return err
		},
		show:   func(answer, made *Application) { answer.PrivateKey = made.PrivateKey },
		retain: func(old route.Resources, v *Application) { keepKey(old, &v.Application) },
	}.register(a, h)

	const one = "/api/v1/applications/{name}"
	huma.Register(h, bodiless(operation("rotate-application-key", http.MethodPost, one+"/keys", "Give an application a new key pair",
		http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity)),
		func(ctx context.Context, in *ByName) (*oneOf[keyPair], error) { return a.newKeys(ctx, in.Name) })
	huma.Register(h, noContent(bodiless(operation("link-number", http.MethodPut, one+"/numbers/{number}", "Let a number lead to an application",
		http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity))),
		func(ctx context.Context, in *byNumber) (*struct{}, error) {
			return nil, a.change(ctx, func(ctx context.Context) error { return a.link(ctx, in.Name, in.Number) })
		})
	huma.Register(h, operation("unlink-number", http.MethodDelete, one+"/numbers/{number}", "Take a number away from an application",
		http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in *byNumber) (*struct{}, error) {
			return nil, a.change(ctx, func(ctx context.Context) error { return a.unlink(ctx, in.Name, in.Number) })
		})
}

// keepKey leaves an application that brings no key the one that it has.
func keepKey(old route.Resources, app *route.Application) {
	i := slices.IndexFunc(old.Applications, func(o route.Application) bool { return o.ID == app.ID })
	if i >= 0 && app.PublicKey == "" {
		app.PublicKey = old.Applications[i].PublicKey
	}
}

func pickApplications(r route.Resources, name string) []Application {
	return each(r.Applications, func(x route.Application) (Application, bool) {
		if !meant(name, x.ID) {
			return Application{}, false
		}
		v := Application{Application: x}
		for _, n := range r.Numbers {
			if n.Application == x.ID {
				v.Numbers = append(v.Numbers, n.Number)
			}
		}
		return v, true
	})
}

func (a *API) newKeys(ctx context.Context, id string) (*oneOf[keyPair], error) {
	out := &oneOf[keyPair]{}
	var err error
	if out.Body.PublicKey, out.Body.PrivateKey, err = newKeyPair(); err != nil {
		return nil, a.problem(ctx, err)
	}
	return out, a.change(ctx, func(ctx context.Context) error {
		r, err := a.known(ctx)
		if err != nil {
			return err
		}
		app, err := find(r.Applications, func(x route.Application) bool { return x.ID == id }, "application", id)
		if err != nil {
			return err
		}
		app.PublicKey = out.Body.PublicKey
		return a.cfg.Store.Replace(ctx, route.KindApplications, id, app)
	})
}

// link lets a number lead to an application, at the hours that it did.
func (a *API) link(ctx context.Context, id, number string) error {
	r, err := a.known(ctx)
	if err != nil {
		return err
	}
	if _, err := find(r.Applications, func(x route.Application) bool { return x.ID == id }, "application", id); err != nil {
		return err
	}
	n, err := find(r.Numbers, func(x route.Number) bool { return x.Number == number }, "number", number)
	if err != nil {
		return a.cfg.Store.Create(ctx, route.KindNumbers, number, route.Number{Number: number, Application: id})
	}
	return a.cfg.Store.Replace(ctx, route.KindNumbers, number, route.Number{Number: number, Application: id, Schedule: n.Schedule, Closed: n.Closed})
}

// unlink removes a number that leads to an application.
func (a *API) unlink(ctx context.Context, id, number string) error {
	r, err := a.known(ctx)
	if err != nil {
		return err
	}
	if _, err := find(r.Numbers, func(x route.Number) bool { return x.Number == number && x.Application == id }, "number of the application", number); err != nil {
		return err
	}
	return a.cfg.Store.Delete(ctx, route.KindNumbers, number)
}

// find returns the one that is meant, or NotFound.
func find[T any](list []T, meant func(T) bool, word, name string) (T, error) {
	if i := slices.IndexFunc(list, meant); i >= 0 {
		return list[i], nil
	}
	var none T
	return none, &core.Error{Op: "native", Kind: core.NotFound, Err: fmt.Errorf("no %s %q", word, name)}
}

// keyBits is the length of a key that we make.
const keyBits = 2048

// newKeyPair makes an RSA key pair as PEM: PKIX and PKCS #8.
func newKeyPair() (public, private string, err error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return "", "", fmt.Errorf("native: %w", err)
	}
	publicDER, err1 := x509.MarshalPKIXPublicKey(&key.PublicKey)
	privateDER, err2 := x509.MarshalPKCS8PrivateKey(key)
	if err := errors.Join(err1, err2); err != nil {
		return "", "", fmt.Errorf("native: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: publicDER})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: privateDER})), nil
}

// bodiless describes an operation that takes no body.
func bodiless(op huma.Operation) huma.Operation {
	op.Errors = slices.DeleteFunc(op.Errors, func(status int) bool {
		return status == http.StatusBadRequest || status == http.StatusRequestEntityTooLarge || status == http.StatusUnsupportedMediaType
	})
	return op
}
