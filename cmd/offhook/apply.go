package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/offhook/offhook/internal/config"
	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

type applyCmd struct {
	File string `short:"f" required:"" type:"path" placeholder:"FILE" help:"YAML with a resources: section, as the configuration has it."`
	access
}

// Run creates what is missing and replaces what is there. It deletes nothing.
func (c applyCmd) Run(ctx context.Context, stdout io.Writer) error {
	cfg, err := config.Load(c.File)
	if err != nil {
		return err
	}
	client, err := c.client(ctx)
	if err != nil {
		return err
	}
	return client.apply(ctx, toApply(cfg.Resources), stdout)
}

// resource is one thing to apply.
type resource struct {
	path string // of the resource, below /api/v1
	list string // where it is created; "" for what there is one of
	body any
	// secretPath takes the password, or the secrets of an account, if there are any.
	secretPath, secretMethod string
	secrets                  map[string]core.Secret
}

// toApply lists resources so that most come after what they refer to.
func toApply(r config.Resources) []resource {
	var all []resource
	password := func(p core.Secret) map[string]core.Secret { return map[string]core.Secret{"password": p} }
	add := func(kind route.Kind, name string, body any) *resource {
		all = append(all, resource{path: string(kind) + "/" + url.PathEscape(name), list: string(kind), body: body})
		return &all[len(all)-1]
	}
	for _, setting := range []struct {
		name string
		body any
		set  bool
	}{
		{route.SettingDialling, r.Dialling, r.Dialling != route.Dialling{}},
		{route.SettingLimits, r.Limits, !r.Limits.IsZero()},
		{route.SettingParking, r.Parking, r.Parking != route.Parking{}},
	} {
		if setting.set {
			all = append(all, resource{path: setting.name, body: setting.body})
		}
	}
	for _, s := range r.Schedules {
		add(route.KindSchedules, s.Name, s)
	}
	for _, u := range r.Users {
		item := add(route.KindUsers, u.Name, u.User)
		item.secretPath, item.secretMethod, item.secrets = item.path+"/credentials", http.MethodPost, password(u.Password)
	}
	for _, t := range r.Trunks {
		item := add(route.KindTrunks, t.Name, t.Trunk)
		item.secretPath, item.secretMethod, item.secrets = item.path+"/password", http.MethodPut, password(t.Password)
	}
	for _, a := range r.Accounts {
		item := add(route.KindAccounts, a.Key, a.Account)
		item.secretPath, item.secretMethod = item.path+"/secrets", http.MethodPost
		item.secrets = map[string]core.Secret{"secret": a.Secret, "signature_secret": a.SignatureSecret}
	}
	for _, a := range r.Applications {
		add(route.KindApplications, a.ID, a.Application)
	}
	for _, g := range r.Groups {
		add(route.KindGroups, g.Name, g)
	}
	for _, n := range r.Numbers {
		add(route.KindNumbers, n.Number, n)
	}
	for _, rule := range r.Callers {
		add(route.KindCallers, rule.Name, rule)
	}
	return all
}

// apply applies all. What does not fit yet is tried again after the rest, for
// groups may refer to each other in any order.
func (c apiClient) apply(ctx context.Context, waiting []resource, stdout io.Writer) error {
	for len(waiting) > 0 {
		var later []resource
		var errs []error
		for _, r := range waiting {
			done, err := c.applyOne(ctx, r)
			switch {
			case isMisfit(err):
				later, errs = append(later, r), append(errs, fmt.Errorf("%s: %w", r.path, err))
			case err != nil:
				return fmt.Errorf("%s: %w", r.path, err)
			default:
				fmt.Fprintf(stdout, "%s %s\n", r.path, done) //nolint:errcheck // a closed terminal is no reason to stop
			}
		}
		if len(later) == len(waiting) {
			return errors.Join(errs...)
		}
		waiting = later
	}
	return nil
}

func (c apiClient) applyOne(ctx context.Context, r resource) (done string, err error) {
	done = "changed"
	err = c.do(ctx, http.MethodPut, r.path, r.body)
	if p, ok := errors.AsType[*problemError](err); ok && p.Status == http.StatusNotFound && r.list != "" {
		done = "created"
		err = c.do(ctx, http.MethodPost, r.list, r.body)
	}
	if secrets := revealed(r.secrets); err == nil && len(secrets) > 0 {
		err = c.do(ctx, r.secretMethod, r.secretPath, secrets)
	}
	return done, err
}

// revealed returns the secrets that are set, as the API takes them.
func revealed(secrets map[string]core.Secret) map[string]string {
	out := make(map[string]string)
	for name, secret := range secrets {
		if secret != "" {
			out[name] = secret.Reveal()
		}
	}
	return out
}
