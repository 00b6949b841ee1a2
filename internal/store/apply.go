package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

// Apply creates what is missing of edits and replaces what is there, all of it or
// nothing, and returns which were created. Resources that do not fit each other
// afterwards are Invalid, those that the file keeps a Conflict, with all mistakes
// joined. Digest secrets are made for realm.
func (s *Store) Apply(ctx context.Context, edits []route.Edit, realm string) (created []bool, err error) {
	const op = "store.Apply"
	created = make([]bool, len(edits))
	what := changed{op: op, misfit: core.Invalid}
	for _, e := range edits {
		if !slices.Contains(what.kinds, e.Kind) {
			what.kinds = append(what.kinds, e.Kind)
		}
	}
	err = s.change(ctx, what, func(tx *sql.Tx) error {
		var refused []error
		for i, e := range edits {
			var err error
			created[i], err = s.applyOne(ctx, tx, e, realm)
			switch {
			case core.KindOf(err) == core.Conflict:
				refused = append(refused, inWords(err))
			case err != nil:
				return err
			}
		}
		if len(refused) > 0 {
			return &core.Error{Op: op, Kind: core.Conflict, Err: errors.Join(refused...)}
		}
		return nil
	})
	return created, err
}

// applyOne creates or replaces one resource with its secrets.
func (s *Store) applyOne(ctx context.Context, tx *sql.Tx, e route.Edit, realm string) (created bool, err error) {
	err = replace(ctx, tx, e)
	if core.KindOf(err) == core.NotFound {
		created, err = true, create(ctx, tx, e)
	}
	if err != nil || e.Secret == "" && e.Signature == "" {
		return created, err
	}
	switch e.Kind {
	case route.KindUsers:
		err = s.setPassword(ctx, tx, e.Name, e.Secret, realm)
	case route.KindTrunks:
		err = s.setTrunkPassword(ctx, tx, e.Name, e.Secret)
	case route.KindAccounts:
		err = s.setAccountSecrets(ctx, tx, e.Name, e.Secret, e.Signature, realm)
	case route.KindGroups, route.KindNumbers, route.KindSchedules, route.KindCallers, route.KindSettings, route.KindApplications:
	}
	return created, err
}

// inWords leaves out of an error which operation it is from.
func inWords(err error) error {
	if e, ok := errors.AsType[*core.Error](err); ok && e.Err != nil {
		return e.Err
	}
	return err
}
