package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// page is one HTML page: its source folder and what it is called when built.
// The HTML names "/NAME.js" and "/NAME.css"; both are replaced by hashed names.
type page struct{ name, file string }

var pages = []page{{"phone", "index.html"}, {"demo", "demo.html"}}

// bundlePages fills out with the pages, their assets, the SDK and the manual of docs. Everything is
// built in memory first: a mistake in a source leaves out as it was.
func bundlePages(src, docs, out string) error {
	files := map[string][]byte{}
	for _, p := range pages {
		if err := bundlePage(src, p, files); err != nil {
			return err
		}
	}
	if err := bundleSDK(src, files); err != nil {
		return err
	}
	if err := bundleDocs(docs, src, files); err != nil {
		return err
	}
	icon, err := os.ReadFile(filepath.Join(src, "ui", "icon.svg"))
	if err != nil {
		return err
	}
	files["icon.svg"] = icon
	if err := clean(out); err != nil {
		return err
	}
	return write(out, files)
}

func bundlePage(src string, p page, files map[string][]byte) error {
	built, err := build(api.BuildOptions{
		EntryPointsAdvanced: []api.EntryPoint{{InputPath: filepath.Join(src, p.name, "main.tsx"), OutputPath: p.name}},
		EntryNames:          "[name]-[hash]",
		Format:              api.FormatESModule,
		Outdir:              "/assets",
		MinifyWhitespace:    true,
		MinifyIdentifiers:   true,
		MinifySyntax:        true,
		JSX:                 api.JSXAutomatic,
		JSXImportSource:     "preact",
		Plugins:             []api.Plugin{worklets()},
	})
	if err != nil {
		return err
	}
	html, err := os.ReadFile(filepath.Join(src, p.name, "index.html"))
	if err != nil {
		return err
	}
	for _, f := range built {
		name := filepath.ToSlash(f.Path)
		files[strings.TrimPrefix(name, "/")] = f.Contents
		plain := "/" + p.name + filepath.Ext(name)
		if filepath.Ext(name) == ".js" || filepath.Ext(name) == ".css" {
			if !bytes.Contains(html, []byte(plain)) {
				return fmt.Errorf("%s/index.html does not name %s", p.name, plain)
			}
			html = bytes.ReplaceAll(html, []byte(plain), []byte(name))
		}
	}
	files[p.file] = html
	return nil
}

// library is a script that pages of other people load.
type library struct {
	source, file string
	format       api.Format
	global       string // of a classic script
	footer       string
}

// libraries returns the SDK and the facade on it, both as module and as script.
func libraries() []library {
	const facade = "vonageClientSDK"
	return []library{
		{source: "sdk/src/index.ts", file: "offhook.js", format: api.FormatESModule},
		{source: "sdk/src/index.ts", file: "offhook.iife.js", format: api.FormatIIFE, global: "offhook"},
		{source: "sdk/facade/index.ts", file: facade + ".mjs", format: api.FormatESModule},
		{source: "sdk/facade/index.ts", file: facade + ".js", format: api.FormatIIFE, global: facade, footer: umd(facade)},
	}
}

// umd lets loaders of modules find what is a global in a page.
func umd(global string) string {
	return fmt.Sprintf(`if(typeof define=="function"&&define.amd)define([],function(){return %[1]s});else if(typeof module=="object"&&module.exports)module.exports=%[1]s;`, global)
}

// bundleSDK builds the SDK under names that stay the same between releases:
// pages of other people load them.
func bundleSDK(src string, files map[string][]byte) error {
	for _, l := range libraries() {
		built, err := build(api.BuildOptions{
			EntryPoints:       []string{filepath.Join(src, filepath.FromSlash(l.source))},
			Outfile:           "/sdk/" + l.file,
			Format:            l.format,
			GlobalName:        l.global,
			Footer:            map[string]string{"js": l.footer},
			MinifyWhitespace:  true,
			MinifyIdentifiers: true,
			MinifySyntax:      true,
		})
		if err != nil {
			return err
		}
		for _, f := range built {
			files[strings.TrimPrefix(filepath.ToSlash(f.Path), "/")] = f.Contents
		}
	}
	return nil
}

// bundleTests builds every *.test.ts and *.test.tsx below src for node, one file
// each, so that node 20, which does not read TypeScript, can run them.
func bundleTests(src, out string) error {
	var entries []string
	err := filepath.WalkDir(src, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.Name() == "node_modules":
			return filepath.SkipDir
		case strings.HasSuffix(path, ".test.ts"), strings.HasSuffix(path, ".test.tsx"):
			entries = append(entries, path)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		return fmt.Errorf("no *.test.ts below %s", src)
	}
	built, err := build(api.BuildOptions{
		EntryPoints:     entries,
		Outbase:         src,
		Outdir:          "/",
		OutExtension:    map[string]string{".js": ".mjs"},
		Format:          api.FormatESModule,
		Platform:        api.PlatformNode,
		Sourcemap:       api.SourceMapInline,
		JSX:             api.JSXAutomatic,
		JSXImportSource: "preact",
		Plugins:         []api.Plugin{worklets()},
	})
	if err != nil {
		return err
	}
	files := map[string][]byte{}
	for _, f := range built {
		files[strings.TrimPrefix(filepath.ToSlash(f.Path), "/")] = f.Contents
	}
	return write(out, files)
}

// worklets turns `import source from "./x.ts?worklet"` into the built script as a
// string, for a Blob URL: a worklet runs in a global scope of its own and cannot
// share the page's bundle.
func worklets() api.Plugin {
	const suffix = "?worklet"
	return api.Plugin{Name: "worklet", Setup: func(pb api.PluginBuild) {
		pb.OnResolve(api.OnResolveOptions{Filter: `\?worklet$`}, func(args api.OnResolveArgs) (api.OnResolveResult, error) {
			path := filepath.Join(args.ResolveDir, strings.TrimSuffix(args.Path, suffix))
			return api.OnResolveResult{Path: path, Namespace: "worklet"}, nil
		})
		pb.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: "worklet"}, func(args api.OnLoadArgs) (api.OnLoadResult, error) {
			built, err := build(api.BuildOptions{
				EntryPoints:      []string{args.Path},
				Outfile:          "/worklet.js",
				Format:           api.FormatIIFE,
				MinifyWhitespace: true,
				MinifySyntax:     true,
			})
			if err != nil {
				return api.OnLoadResult{}, err
			}
			text := string(built[0].Contents)
			return api.OnLoadResult{Contents: &text, Loader: api.LoaderText}, nil
		})
	}}
}

// build runs esbuild without writing files and turns its messages into an error.
func build(options api.BuildOptions) ([]api.OutputFile, error) {
	options.Bundle = true
	options.Charset = api.CharsetUTF8
	options.LegalComments = api.LegalCommentsNone
	options.LogLevel = api.LogLevelWarning // printed with the line they are about
	options.Target = api.ES2022
	result := api.Build(options)
	if len(result.Errors) > 0 {
		return nil, errors.New("the build failed, see above")
	}
	return result.OutputFiles, nil
}

// clean removes what an earlier run left in out, but not the .gitkeep.
func clean(out string) error {
	old, err := os.ReadDir(out)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, entry := range old {
		if entry.Name() == ".gitkeep" {
			continue
		}
		if err := os.RemoveAll(filepath.Join(out, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

func write(out string, files map[string][]byte) error {
	for name, data := range files {
		path := filepath.Join(out, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
