package native_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// document is an OpenAPI 3.1 description as a client reads it, with as much of
// JSON Schema as it uses. A word of JSON Schema that is not known here is an error,
// so that nothing is taken for checked that is not.
type document struct {
	OpenAPI    string                           `json:"openapi"`
	Paths      map[string]map[string]*operation `json:"paths"`
	Components struct {
		Schemas map[string]map[string]any `json:"schemas"`
	} `json:"components"`
}

type operation struct {
	ID          string `json:"operationId"`
	RequestBody *struct {
		Required bool              `json:"required"`
		Content  map[string]*media `json:"content"`
	} `json:"requestBody"`
	Responses map[string]*struct {
		Content map[string]*media `json:"content"`
	} `json:"responses"`
}

type media struct {
	Schema map[string]any `json:"schema"`
}

// find returns the operation of a request.
func (d *document) find(method, path string) (*operation, error) {
	path, _, _ = strings.Cut(path, "?")
	parts := strings.Split(path, "/")
	for template, methods := range d.Paths {
		same := slices.EqualFunc(strings.Split(template, "/"), parts, func(t, p string) bool { return t == p || strings.HasPrefix(t, "{") })
		if op := methods[strings.ToLower(method)]; same && op != nil {
			return op, nil
		}
	}
	return nil, fmt.Errorf("no operation %s %s", method, path)
}

// request says why a request's body does not fit.
func (d *document) request(op *operation, body string) error {
	if op.RequestBody == nil {
		if body != "" {
			return fmt.Errorf("a body where none belongs")
		}
		return nil
	}
	return d.body(op.RequestBody.Content["application/json"], []byte(body))
}

// response says why an answer does not fit.
func (d *document) response(op *operation, status int, contentType string, body []byte) error {
	r := op.Responses[strconv.Itoa(status)]
	if r == nil {
		return fmt.Errorf("the status %d is not described", status)
	}
	if len(r.Content) == 0 {
		if len(body) > 0 {
			return fmt.Errorf("a body where none belongs")
		}
		return nil
	}
	return d.body(r.Content[contentType], body)
}

func (d *document) body(m *media, text []byte) error {
	if m == nil {
		return fmt.Errorf("the content type is not described")
	}
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return err
	}
	return d.fits(m.Schema, value, "body")
}

// fits says why value is not what schema describes.
func (d *document) fits(schema map[string]any, value any, at string) error {
	if ref, ok := schema["$ref"].(string); ok {
		name := strings.TrimPrefix(ref, "#/components/schemas/")
		schema, ok = d.Components.Schemas[name]
		if !ok {
			return fmt.Errorf("%s: no schema %q", at, name)
		}
	}
	for _, word := range slices.Sorted(maps.Keys(schema)) {
		check, known := words[word]
		if !known {
			return fmt.Errorf("%s: this test does not know %q of JSON Schema", at, word)
		}
		if check == nil {
			continue
		}
		if err := check(d, schema, value, at); err != nil {
			return err
		}
	}
	return nil
}

type check func(d *document, schema map[string]any, value any, at string) error

// words are the words of JSON Schema, nil for those that only explain.
var words map[string]check

func init() { //nolint:gochecknoinits // the words refer to each other
	words = map[string]check{
		"description": nil, "examples": nil, "default": nil, "readOnly": nil, "contentEncoding": nil, "items": nil,
		"type": checkType, "enum": checkEnum, "format": checkFormat, "required": checkRequired,
		"properties": checkProperties, "additionalProperties": checkAdditional, "minLength": checkBound, "maxLength": checkBound,
		"minimum": checkBound, "maximum": checkBound,
	}
}

func checkType(d *document, schema map[string]any, value any, at string) error {
	allowed, many := schema["type"].([]any)
	if !many {
		allowed = []any{schema["type"]}
	}
	got := typeOf(value)
	if !slices.Contains(allowed, any(got)) && !(got == "integer" && slices.Contains(allowed, any("number"))) {
		return fmt.Errorf("%s: %s, want %v", at, got, allowed)
	}
	list, _ := value.([]any)
	items, _ := schema["items"].(map[string]any)
	for i, item := range list {
		if err := d.fits(items, item, fmt.Sprintf("%s[%d]", at, i)); err != nil {
			return err
		}
	}
	return nil
}

func typeOf(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case float64:
		if v == float64(int64(v)) {
			return "integer"
		}
		return "number"
	case []any:
		return "array"
	}
	return "object"
}

func checkEnum(_ *document, schema map[string]any, value any, at string) error {
	if all, _ := schema["enum"].([]any); !slices.Contains(all, value) {
		return fmt.Errorf("%s: %v is none of %v", at, value, all)
	}
	return nil
}

func checkFormat(_ *document, schema map[string]any, value any, at string) error {
	switch schema["format"] {
	case "date-time":
		text, _ := value.(string)
		if _, err := time.Parse(time.RFC3339, text); err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
	case "int64", "int32", "double", "uri":
	default:
		return fmt.Errorf("%s: this test does not know the format %v", at, schema["format"])
	}
	return nil
}

func checkRequired(_ *document, schema map[string]any, value any, at string) error {
	object, _ := value.(map[string]any)
	names, _ := schema["required"].([]any)
	for _, name := range names {
		if _, ok := object[name.(string)]; !ok {
			return fmt.Errorf("%s: no %v", at, name)
		}
	}
	return nil
}

func checkProperties(d *document, schema map[string]any, value any, at string) error {
	object, _ := value.(map[string]any)
	properties, _ := schema["properties"].(map[string]any)
	for name, property := range properties {
		if member, ok := object[name]; ok {
			if err := d.fits(property.(map[string]any), member, at+"."+name); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkAdditional(_ *document, schema map[string]any, value any, at string) error {
	if schema["additionalProperties"] != false {
		return fmt.Errorf("%s: other properties are allowed", at)
	}
	properties, _ := schema["properties"].(map[string]any)
	object, _ := value.(map[string]any)
	for name := range object {
		if _, ok := properties[name]; !ok {
			return fmt.Errorf("%s: %q is not described", at, name)
		}
	}
	return nil
}

func checkBound(_ *document, schema map[string]any, value any, at string) error {
	size, _ := value.(float64)
	if text, ok := value.(string); ok {
		size = float64(len(text))
	}
	for _, word := range []string{"minLength", "minimum"} {
		if least, ok := schema[word].(float64); ok && size < least {
			return fmt.Errorf("%s: %v is below %v", at, value, least)
		}
	}
	for _, word := range []string{"maxLength", "maximum"} {
		if most, ok := schema[word].(float64); ok && size > most {
			return fmt.Errorf("%s: %v is above %v", at, value, most)
		}
	}
	return nil
}
