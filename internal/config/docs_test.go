package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestEveryOptionIsDocumented holds the table of docs/configuration.md against the
// sections: each key has a row, with its default, and no row is about another.
func TestEveryOptionIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile("`([^`]*)`")
	defaultOf := make(map[string]string) // as documented
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(line, " | ")
		if !strings.HasPrefix(line, "| `") || len(cells) < 3 {
			continue
		}
		keys, values := code.FindAllStringSubmatch(cells[0], -1), code.FindAllStringSubmatch(cells[1], -1)
		for i, key := range keys {
			defaultOf[key[1]] = cells[1]
			if len(values) == len(keys) {
				defaultOf[key[1]] = values[i][1]
			} else if len(values) == 1 {
				defaultOf[key[1]] = values[0][1]
			}
		}
	}
	sections := reflect.ValueOf(defaults())
	for i := range sections.NumField() {
		section := yamlName(sections.Type().Field(i))
		if section == "resources" {
			continue
		}
		for j := range sections.Field(i).NumField() {
			path := section + "." + yamlName(sections.Field(i).Type().Field(j))
			said, documented := defaultOf[path]
			delete(defaultOf, path)
			if want := written(sections.Field(i).Field(j)); !documented {
				t.Errorf("%s has no row", path)
			} else if want != "" && said != want {
				t.Errorf("%s: the default is said to be %q, and is %q", path, said, want)
			}
		}
	}
	for path := range defaultOf {
		t.Errorf("%s has a row, and there is no such option", path)
	}
}

// written is a default as a file would have it, "" if it is nothing in particular.
func written(v reflect.Value) string {
	switch value := v.Interface().(type) {
	case time.Duration:
		if value == 0 {
			return "0"
		}
		return strings.TrimSuffix(strings.Replace(strings.Replace(value.String()+" ", "m0s ", "m ", 1), "h0m ", "h ", 1), " ")
	case bool:
		return fmt.Sprint(value)
	}
	if v.IsZero() && v.Kind() != reflect.Int || slices.Contains([]reflect.Kind{reflect.Slice, reflect.Map}, v.Kind()) {
		return ""
	}
	return fmt.Sprint(v.Interface())
}

// TestEveryFieldOfAResourceIsDocumented finds the name of each somewhere in the manual.
func TestEveryFieldOfAResourceIsDocumented(t *testing.T) {
	var manual strings.Builder
	for _, pattern := range []string{"../../docs/*.md", "../../docs/*/*.md"} {
		pages, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, page := range pages {
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			manual.Write(text)
		}
	}
	var walk func(of reflect.Type, at string)
	walk = func(of reflect.Type, at string) {
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct || decodesItself(of) {
			return
		}
		for _, f := range reflect.VisibleFields(of) {
			name := yamlName(f)
			if name == "" || name == "-" {
				continue
			}
			if !regexp.MustCompile(`\b` + name + `\b`).MatchString(manual.String()) {
				t.Errorf("%s.%s is nowhere in the manual", at, name)
			}
			walk(f.Type, at+"."+name)
		}
	}
	walk(reflect.TypeFor[Resources](), "resources")
}
