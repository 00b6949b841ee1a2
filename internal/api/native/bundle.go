package native

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

// Bundle is what POST /apply takes: resources as the configuration file has them, with
// their secrets.
type Bundle struct {
	Users        []BundleUser    `json:"users,omitempty" nullable:"false"`
	Trunks       []BundleTrunk   `json:"trunks,omitempty" nullable:"false"`
	Accounts     []BundleAccount `json:"accounts,omitempty" nullable:"false"`
	Applications []Application   `json:"applications,omitempty" nullable:"false" doc:"One without public_key keeps the key that it has; a new one has none."`
	Groups       []Group         `json:"groups,omitempty" nullable:"false"`
	Numbers      []Number        `json:"numbers,omitempty" nullable:"false"`
	Schedules    []Schedule      `json:"schedules,omitempty" nullable:"false"`
	Callers      []Caller        `json:"callers,omitempty" nullable:"false"`
	Dialling     *Dialling       `json:"dialling,omitempty"`
	Limits       *Limits         `json:"limits,omitempty"`
	Parking      *Parking        `json:"parking,omitempty"`
}

type (
	// BundleUser is a user with the password.
	BundleUser struct {
		User
		Password string `json:"password,omitempty" minLength:"10" maxLength:"256" doc:"Left out, it stays as it is."`
	}
	// BundleTrunk is a trunk with the password.
	BundleTrunk struct {
		Trunk
		Password string `json:"password,omitempty" maxLength:"256" doc:"Left out, it stays as it is."`
	}
	// BundleAccount is an account with its secrets.
	BundleAccount struct {
		route.Account
		Kept
		Secret          string `json:"secret,omitempty" minLength:"8" maxLength:"128" doc:"Left out, it stays as it is."`
		SignatureSecret string `json:"signature_secret,omitempty" minLength:"16" maxLength:"128" doc:"Left out, it stays as it is."`
	}
)

// Applied says what became of one resource of a Bundle.
type Applied struct {
	Resource string `json:"resource" doc:"Its path below /api/v1, such as users/sales."`
	Done     string `json:"done" enum:"created,changed"`
}

type (
	bundleIn   struct{ Body Bundle }
	appliedOut struct {
		Body struct {
			Items []Applied `json:"items" nullable:"false"`
		}
	}
)

// maxBundle is the longest Bundle, in bytes: about a hundred thousand users.
const maxBundle = 16 << 20

// bundles registers the operation that takes many resources at once.
func (a *API) bundles(h huma.API) {
	op := operation("apply", http.MethodPost, "/api/v1/apply", "Create or replace many resources, all of them or none",
		http.StatusConflict, http.StatusUnprocessableEntity)
	op.DefaultStatus, op.MaxBodyBytes = http.StatusOK, maxBundle
	huma.Register(h, op, func(ctx context.Context, in *bundleIn) (*appliedOut, error) { return a.apply(ctx, in.Body) })
}

// apply writes all in one step: it is checked once, and the exchange hears of it once.
func (a *API) apply(ctx context.Context, b Bundle) (*appliedOut, error) {
	edits := b.edits()
	out := &appliedOut{}
	out.Body.Items = make([]Applied, len(edits))
	return out, a.change(ctx, func(ctx context.Context) error {
		old, err := a.known(ctx)
		if err != nil {
			return err
		}
		for i := range edits {
			if app, ok := edits[i].Body.(route.Application); ok {
				keepKey(old, &app)
				edits[i].Body = app
			}
		}
		created, err := a.cfg.Store.Apply(ctx, edits, a.cfg.Realm)
		if err != nil {
			return err
		}
		for i, e := range edits {
			out.Body.Items[i] = Applied{Resource: pathOf(e), Done: "changed"}
			if created[i] {
				out.Body.Items[i].Done = "created"
			}
		}
		return nil
	})
}

// pathOf returns the path of a resource, below /api/v1.
func pathOf(e route.Edit) string {
	if e.Kind == route.KindSettings {
		return e.Name
	}
	return string(e.Kind) + "/" + e.Name
}

// edits lists a bundle so that most comes after what it refers to.
func (b Bundle) edits() (all []route.Edit) {
	add := func(kind route.Kind, name string, body any) *route.Edit {
		all = append(all, route.Edit{Kind: kind, Name: name, Body: body})
		return &all[len(all)-1]
	}
	if b.Dialling != nil {
		add(route.KindSettings, route.SettingDialling, b.Dialling.Dialling)
	}
	if b.Limits != nil {
		add(route.KindSettings, route.SettingLimits, b.Limits.Limits)
	}
	if b.Parking != nil {
		add(route.KindSettings, route.SettingParking, b.Parking.Parking)
	}
	for _, s := range b.Schedules {
		add(route.KindSchedules, s.Name, s.Schedule)
	}
	for _, u := range b.Users {
		u.App = "" // applications keep their own users
		add(route.KindUsers, u.Name, u.User.User).Secret = core.Secret(u.Password)
	}
	for _, t := range b.Trunks {
		add(route.KindTrunks, t.Name, t.Trunk.Trunk).Secret = core.Secret(t.Password)
	}
	for _, x := range b.Accounts {
		e := add(route.KindAccounts, x.Key, x.Account)
		e.Secret, e.Signature = core.Secret(x.Secret), core.Secret(x.SignatureSecret)
	}
	for _, x := range b.Applications {
		add(route.KindApplications, x.ID, x.Application)
	}
	for _, g := range b.Groups {
		add(route.KindGroups, g.Name, g.Group)
	}
	for _, n := range b.Numbers {
		add(route.KindNumbers, n.Number.Number, n.Number)
	}
	for _, c := range b.Callers {
		add(route.KindCallers, c.Name, c.CallerRule)
	}
	return all
}
