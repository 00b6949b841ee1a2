package main

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/offhook/offhook/internal/config"
	"github.com/offhook/offhook/internal/core/route"
)

type applyCmd struct {
	File string `short:"f" required:"" type:"path" placeholder:"FILE" help:"YAML with a resources: section, as the configuration has it."`
	access
}

// Run creates what is missing and replaces what is there, all of it or nothing. It
// deletes nothing.
func (c applyCmd) Run(ctx context.Context, stdout io.Writer) error {
	cfg, err := config.Load(c.File)
	if err != nil {
		return err
	}
	client, err := c.client(ctx)
	if err != nil {
		return err
	}
	var answer struct {
		Items []struct{ Resource, Done string }
	}
	if err := client.ask(ctx, http.MethodPost, "apply", toBundle(cfg.Resources), &answer); err != nil {
		return err
	}
	for _, item := range answer.Items {
		fmt.Fprintf(stdout, "%s %s\n", item.Resource, item.Done) //nolint:errcheck // a closed terminal is no reason to stop
	}
	return nil
}

// bundle is what POST /api/v1/apply takes.
type bundle struct {
	Users        []userWithPassword   `json:"users,omitempty"`
	Trunks       []trunkWithPassword  `json:"trunks,omitempty"`
	Accounts     []accountWithSecrets `json:"accounts,omitempty"`
	Applications []route.Application  `json:"applications,omitempty"`
	Groups       []route.Group        `json:"groups,omitempty"`
	Numbers      []route.Number       `json:"numbers,omitempty"`
	Schedules    []route.Schedule     `json:"schedules,omitempty"`
	Callers      []route.CallerRule   `json:"callers,omitempty"`
	Dialling     *route.Dialling      `json:"dialling,omitempty"`
	Limits       *route.Limits        `json:"limits,omitempty"`
	Parking      *route.Parking       `json:"parking,omitempty"`
}

type (
	userWithPassword struct {
		route.User
		Password string `json:"password,omitempty"`
	}
	trunkWithPassword struct {
		route.Trunk
		Password string `json:"password,omitempty"`
	}
	accountWithSecrets struct {
		route.Account
		Secret          string `json:"secret,omitempty"`
		SignatureSecret string `json:"signature_secret,omitempty"`
	}
)

// toBundle brings the resources of a file, with their secrets, into the API's form.
func toBundle(r config.Resources) bundle {
	b := bundle{Groups: r.Groups, Numbers: r.Numbers, Schedules: r.Schedules, Callers: r.Callers}
	for _, u := range r.Users {
		b.Users = append(b.Users, userWithPassword{u.User, u.Password.Reveal()})
	}
	for _, t := range r.Trunks {
		b.Trunks = append(b.Trunks, trunkWithPassword{t.Trunk, t.Password.Reveal()})
	}
	for _, a := range r.Accounts {
		b.Accounts = append(b.Accounts, accountWithSecrets{a.Account, a.Secret.Reveal(), a.SignatureSecret.Reveal()})
	}
	for _, a := range r.Applications {
		b.Applications = append(b.Applications, a.Application)
	}
	if r.Dialling != (route.Dialling{}) {
		b.Dialling = &r.Dialling
	}
	if !r.Limits.IsZero() {
		b.Limits = &r.Limits
	}
	if r.Parking != (route.Parking{}) {
		b.Parking = &r.Parking
	}
	return b
}
