package config

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// override sets every scalar, every list of scalars (separated by commas) and every
// map of strings (key=value, likewise), for which lookup has OFFHOOK_SECTION_KEY.
// Resources cannot be overridden. It returns the variable for each path that was set.
func override(c *Config, lookup func(string) (string, bool)) (map[string]string, error) {
	set := make(map[string]string)
	var errs []error
	sections := reflect.ValueOf(c).Elem()
	for i := range sections.NumField() {
		section := yamlName(sections.Type().Field(i))
		if section == "resources" {
			continue
		}
		for j := range sections.Field(i).NumField() {
			path := section + "." + yamlName(sections.Field(i).Type().Field(j))
			name := "OFFHOOK_" + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
			text, ok := lookup(name)
			if !ok {
				continue
			}
			set[path] = name
			if err := setField(sections.Field(i).Field(j), text); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", path, err))
			}
		}
	}
	return set, errors.Join(errs...)
}

func yamlName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return name
}

// setField parses text into a field of a section.
func setField(field reflect.Value, text string) error {
	if u, ok := reflect.TypeAssert[encoding.TextUnmarshaler](field.Addr()); ok {
		return u.UnmarshalText([]byte(text))
	}
	if d, ok := reflect.TypeAssert[*time.Duration](field.Addr()); ok {
		parsed, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("%q is not a duration such as 30s", text)
		}
		*d = parsed
		return nil
	}
	switch field.Kind() {
	case reflect.String:
		field.SetString(text)
	case reflect.Bool:
		parsed, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", text)
		}
		field.SetBool(parsed)
	case reflect.Int:
		parsed, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", text)
		}
		field.SetInt(int64(parsed))
	case reflect.Float64:
		parsed, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("%q is not a number", text)
		}
		field.SetFloat(parsed)
	case reflect.Slice:
		return setList(field, text)
	case reflect.Map:
		return setMap(field, text)
	default:
		return fmt.Errorf("cannot be set from the environment (%v)", field.Type())
	}
	return nil
}

func setList(field reflect.Value, text string) error {
	list := reflect.MakeSlice(field.Type(), 0, 0)
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		value := reflect.New(field.Type().Elem()).Elem()
		if err := setField(value, item); err != nil {
			return err
		}
		list = reflect.Append(list, value)
	}
	field.Set(list)
	return nil
}

// setMap sets a map of strings from key=value, separated by commas.
func setMap(field reflect.Value, text string) error {
	made := reflect.MakeMap(field.Type())
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		key, value, ok := strings.Cut(item, "=")
		if !ok {
			return fmt.Errorf("%q is not key=value", item)
		}
		made.SetMapIndex(reflect.ValueOf(strings.TrimSpace(key)), reflect.ValueOf(strings.TrimSpace(value)))
	}
	field.Set(made)
	return nil
}
