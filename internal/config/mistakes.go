package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// misfit is a node that cannot stand where it does.
type misfit struct {
	node ast.Node
	err  error
}

func (m misfit) Error() string { return m.err.Error() }

// onlyPlain refuses anchors, aliases, merge keys and tags: no configuration
// needs them, and the YAML package runs without end on an anchor that contains
// its own alias and panics on a list that is nothing but a tag.
func onlyPlain(body ast.Node) error {
	var found fancy
	ast.Walk(&found, body)
	return errors.Join(found...)
}

// fancy collects the nodes that onlyPlain refuses.
type fancy []error

// Visit implements ast.Visitor.
func (f *fancy) Visit(node ast.Node) ast.Visitor {
	switch node.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode, *ast.MergeKeyNode:
		*f = append(*f, misfit{node, errors.New("anchors (&), aliases (*), merge keys (<<) and tags (!) are not supported")})
	}
	return f
}

// misfits finds the scalars below node that do not decode into their place in
// type t, for errors of Go types, which the decoder reports without a place. It
// returns otherwise if it finds none.
func misfits(node ast.Node, t reflect.Type, otherwise error) error {
	var found []error
	walk(node, t, func(scalar ast.Node, t reflect.Type) {
		if err := yaml.NodeToValue(scalar, reflect.New(t).Interface()); err != nil {
			found = append(found, misfit{scalar, err})
		}
	})
	if len(found) == 0 {
		return otherwise
	}
	return errors.Join(found...)
}

// walk visits the scalars below node with the type each is decoded into.
func walk(node ast.Node, t reflect.Type, visit func(ast.Node, reflect.Type)) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch n := node.(type) {
	case *ast.MappingNode:
		for _, pair := range n.Values {
			if field, ok := fieldType(t, pair.Key.String()); ok {
				walk(pair.Value, field, visit)
			}
		}
	case *ast.SequenceNode:
		for _, item := range n.Values {
			if t.Kind() == reflect.Slice {
				walk(item, t.Elem(), visit)
			}
		}
	case ast.ScalarNode:
		visit(n, t)
	}
}

// fieldType returns the type of a struct's field by its key in YAML.
func fieldType(t reflect.Type, key string) (reflect.Type, bool) {
	if t.Kind() != reflect.Struct {
		return nil, false
	}
	for _, f := range reflect.VisibleFields(t) {
		if yamlName(f) == key && key != "" {
			return f.Type, true
		}
	}
	return nil, false
}

// locate puts file, line and column before the errors of decode, and leaves out
// the YAML package's excerpts of the file, where passwords are.
func locate(path string, err error) error {
	var errs []error
	for _, e := range flatten(err) {
		if m, ok := errors.AsType[misfit](e); ok {
			errs = append(errs, placed(path, m.node.GetToken(), m.Error()))
		} else if y, ok := errors.AsType[yaml.Error](e); ok {
			errs = append(errs, placed(path, y.GetToken(), plainer(y.GetMessage())))
		} else {
			errs = append(errs, fmt.Errorf("%s: %w", path, e))
		}
	}
	return errors.Join(errs...)
}

func placed(path string, at *token.Token, message string) error {
	if at == nil {
		return fmt.Errorf("%s: %s", path, message)
	}
	return fmt.Errorf("%s:%d:%d: %s", path, at.Position.Line, at.Position.Column, message)
}

// explain says for every mistake where it was made: in the file or in the
// environment. Mistakes begin with their path.
func explain(path string, tree *ast.File, overridden map[string]string, err error) error {
	var errs []error
	for _, e := range flatten(err) {
		at, _, _ := strings.Cut(e.Error(), ": ")
		switch line, column := position(tree, at); {
		case overridden[at] != "":
			e = fmt.Errorf("%s: %w", overridden[at], e)
		case line > 0:
			e = fmt.Errorf("%s:%d:%d: %w", path, line, column, e)
		case path != "":
			e = fmt.Errorf("%s: %w", path, e)
		}
		errs = append(errs, e)
	}
	return errors.Join(errs...)
}

// position returns where the value at a path such as "sip.udp" or
// "resources.users[1].name" stands in the file, or the nearest thing around it
// that does; 0 if there is none.
func position(tree *ast.File, at string) (line, column int) {
	for tree != nil && at != "" {
		p, err := yaml.PathString("$." + at)
		if err == nil {
			if node, err := p.FilterFile(tree); err == nil && node != nil && node.GetToken() != nil {
				pos := node.GetToken().Position
				return pos.Line, pos.Column
			}
		}
		at = at[:max(0, strings.LastIndexAny(at, ".["))]
	}
	return 0, 0
}

// flatten returns the errors that errors.Join put together.
func flatten(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, flatten(e)...)
	}
	return all
}

// plainer says in our words what the YAML package says in its own.
func plainer(message string) string {
	if strings.HasPrefix(message, "tab character cannot") || strings.HasPrefix(message, "found character '\t'") {
		return "indent with spaces, not with tabs"
	}
	return message
}
