package config

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// shape says where a file has keys that nothing knows, and a list, keys or a single
// value where something else belongs. at is the path of node, t what it is decoded into.
func shape(node ast.Node, t reflect.Type, at string) []error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if node == nil || node.Type() == ast.NullType || decodesItself(t) {
		return nil // nothing set; or the type says what it takes
	}
	switch t.Kind() {
	case reflect.Struct:
		keys, ok := node.(*ast.MappingNode)
		if !ok {
			return []error{misfit{node, fmt.Errorf("%sexpected keys and their values, found %s", prefix(at), found(node))}}
		}
		return shapeOfKeys(keys, t, at)
	case reflect.Slice:
		list, ok := node.(*ast.SequenceNode)
		if !ok {
			return []error{misfit{node, fmt.Errorf("%sexpected a list, such as [a, b], found %s", prefix(at), found(node))}}
		}
		var errs []error
		for i, item := range list.Values {
			errs = append(errs, shape(item, t.Elem(), fmt.Sprintf("%s[%d]", at, i))...)
		}
		return errs
	case reflect.Map:
		if _, ok := node.(*ast.MappingNode); !ok {
			return []error{misfit{node, fmt.Errorf("%sexpected keys and their values, found %s", prefix(at), found(node))}}
		}
	default:
		if _, ok := node.(ast.ScalarNode); !ok {
			return []error{misfit{node, fmt.Errorf("%sexpected a single value, found %s", prefix(at), found(node))}}
		}
	}
	return nil
}

func shapeOfKeys(keys *ast.MappingNode, t reflect.Type, at string) []error {
	var errs []error
	for _, pair := range keys.Values {
		key := pair.Key.String()
		if text, ok := pair.Key.(*ast.StringNode); ok {
			key = text.Value
		}
		field, ok := fieldType(t, key)
		if !ok {
			errs = append(errs, misfit{pair.Key, errors.New(unknownField(t, at, key))})
			continue
		}
		errs = append(errs, shape(pair.Value, field, strings.TrimPrefix(at+"."+key, "."))...)
	}
	return errs
}

// unknownField says which key was meant, as far as we can tell, or which there are.
func unknownField(t reflect.Type, at, key string) string {
	text := fmt.Sprintf("%sunknown field %q", prefix(at), key)
	known := fieldNames(t)
	if _, below := fieldType(reflect.TypeFor[Resources](), key); below && at == "" {
		return text + ", which belongs below resources"
	}
	best, nearest := "", 3 // two letters wrong are a slip, three another word
	for _, name := range known {
		if d := distance(key, name); d < nearest && d < len(name) {
			best, nearest = name, d
		}
	}
	if best != "" {
		return fmt.Sprintf("%s: did you mean %q?", text, best)
	}
	return text + "; known are " + strings.Join(known, ", ")
}

// fieldNames returns the keys that a struct knows.
func fieldNames(t reflect.Type) (names []string) {
	for _, f := range reflect.VisibleFields(t) {
		if name := yamlName(f); name != "" && name != "-" && f.IsExported() && !f.Anonymous {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// decodesItself reports whether a type reads its own text.
func decodesItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) || p.Implements(reflect.TypeFor[yaml.BytesUnmarshaler]()) ||
		p.Implements(reflect.TypeFor[yaml.InterfaceUnmarshaler]())
}

func prefix(at string) string {
	if at == "" {
		return ""
	}
	return at + ": "
}

// found is a word for what stands in a file.
func found(node ast.Node) string {
	switch node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "keys"
	case *ast.SequenceNode:
		return "a list"
	case *ast.IntegerNode, *ast.FloatNode:
		return "a number"
	case *ast.BoolNode:
		return "true or false"
	}
	return "a text"
}

// distance is how many letters have to be put in, taken out or replaced to make b of a
// (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
