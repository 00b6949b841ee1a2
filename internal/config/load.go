package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxFile is the longest configuration file read, in bytes.
const maxFile = 4 << 20

// Load reads the file at path, lets the environment override it, completes and
// checks it. With an empty path it is Default and the environment. The error
// joins every mistake as "file:line:column: path: what is wrong".
func Load(path string) (Config, error) {
	if path == "" {
		c := Default()
		return finish(c, "", nil, ".")
	}
	text, err := readLimited(path)
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		return Config{}, fmt.Errorf("%s: %w", path, at.Err)
	}
	if err != nil {
		return Config{}, err
	}
	c := defaults()
	tree, err := decode(text, &c)
	if err != nil {
		return Config{}, locate(path, err)
	}
	return finish(c, path, tree, filepath.Dir(path))
}

// finish applies the environment to c, completes and checks it.
func finish(c Config, path string, tree *ast.File, folder string) (Config, error) {
	overridden, envErr := override(&c, os.LookupEnv)
	c.complete()
	keyErr := c.Resources.complete(folder)
	if err := errors.Join(envErr, keyErr, c.Validate()); err != nil {
		return Config{}, explain(path, tree, overridden, err)
	}
	return c, nil
}

func readLimited(path string) ([]byte, error) {
	f, err := os.Open(path) //nolint:gosec // the operator's own path
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("%s is longer than %d bytes", path, maxFile)
	}
	return text, nil
}

// decode reads YAML into c, refusing unknown and doubled keys. Should the YAML
// package panic on a file, that becomes an error here.
func decode(text []byte, c *Config) (tree *ast.File, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("this is no YAML that can be read (%v)", r)
		}
	}()
	tree, err = parser.ParseBytes(text, 0)
	if err != nil {
		return nil, err
	}
	switch {
	case len(tree.Docs) > 1:
		return nil, errors.New("more than one document: the part after --- would be ignored")
	case len(tree.Docs) == 0 || tree.Docs[0].Body == nil || tree.Docs[0].Body.Type() == ast.CommentType:
		return tree, nil // the decoder would clear c
	}
	if err := onlyPlain(tree.Docs[0].Body); err != nil {
		return tree, err
	}
	if errs := shape(tree.Docs[0].Body, reflect.TypeFor[Config](), ""); len(errs) > 0 {
		return tree, errors.Join(errs...)
	}
	err = yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(c)
	if _, placed := errors.AsType[yaml.Error](err); err != nil && !placed {
		return tree, misfits(tree.Docs[0].Body, reflect.TypeFor[Config](), err)
	}
	return tree, err
}
