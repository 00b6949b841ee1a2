package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// sources is a small copy of the shape of web/.
var sources = map[string]string{
	"phone/index.html":      `<link href="/phone.css"><script src="/phone.js"></script>`,
	"phone/main.tsx":        `import "./phone.css"; import text from "./w.ts?worklet"; import { dial } from "../sdk/src/index.ts"; dial(text);`,
	"phone/phone.css":       `a { color: red }`,
	"phone/w.ts":            `const hz: number = 8000; registerProcessor("x", hz);`,
	"demo/index.html":       `<script src="/demo.js"></script>`,
	"demo/main.tsx":         `console.log("demo" as string);`,
	"sdk/src/index.ts":      `export function dial(to: string): void { console.log(to); }`,
	"sdk/facade/index.ts":   `import { dial } from "../src/index.ts"; export class Client { go(): void { dial("1"); } }`,
	"sdk/test/dial.test.ts": `import { dial } from "../src/index.ts"; dial("1");`,
	"ui/icon.svg":           `<svg/>`,
	"docs/page.html":        `<title>{{.Page.Title}}</title><link href="{{.Style}}">{{range .Chapters}}{{range .Pages}}<a href="{{.Path}}">{{end}}{{end}}{{.Page.Body}}`,
	"docs/docs.css":         `a { color: red }`,
}

// manual is a small copy of the shape of docs/ and what it leads to.
var manual = map[string]string{
	"main.go":             "",
	"docs/site":           "# comment\nStart\n  guide/first.md\nMore\n  other.md\n",
	"docs/guide/first.md": "# First *steps*\n\n## Dial `it`\n\n[on](../other.md#end) and [out](../../main.go) and [far](https://example.org/x.md)\n\n| a | b |\n| --- | --- |\n| 1 | <x> |\n",
	"docs/other.md":       "# Other\n\n[back](guide/first.md)\n",
}

func place(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestPagesNameTheirAssetsByHash(t *testing.T) {
	src, out := place(t, sources), place(t, map[string]string{".gitkeep": "", "assets/old-AAAA.js": "old"})
	if err := bundlePages(src, filepath.Join(place(t, manual), "docs"), out); err != nil {
		t.Fatal(err)
	}
	html := read(t, filepath.Join(out, "index.html"))
	names := regexp.MustCompile(`/assets/phone-[A-Z0-9]{8}\.(css|js)`).FindAllString(html, -1)
	if len(names) != 2 {
		t.Fatalf("index.html names %v: %s", names, html)
	}
	for _, name := range names {
		text := read(t, filepath.Join(out, name))
		if strings.HasSuffix(name, ".js") && !strings.Contains(text, `registerProcessor(\"x\"`) && !strings.Contains(text, `registerProcessor("x"`) {
			t.Errorf("the worklet is not in the script as text: %s", text)
		}
	}
	if !strings.Contains(read(t, filepath.Join(out, "sdk/offhook.js")), "export{") {
		t.Error("sdk/offhook.js is no module")
	}
	if !strings.Contains(read(t, filepath.Join(out, "sdk/offhook.iife.js")), "var offhook=") {
		t.Error("sdk/offhook.iife.js has no global")
	}
	if !strings.Contains(read(t, filepath.Join(out, "sdk/vonageClientSDK.mjs")), "export{") {
		t.Error("sdk/vonageClientSDK.mjs is no module")
	}
	if text := read(t, filepath.Join(out, "sdk/vonageClientSDK.js")); !strings.Contains(text, "var vonageClientSDK=") || !strings.Contains(text, "module.exports=vonageClientSDK") {
		t.Error("sdk/vonageClientSDK.js has no global, or is none for loaders of modules")
	}
	if _, err := os.Stat(filepath.Join(out, "assets/old-AAAA.js")); err == nil {
		t.Error("the asset of an earlier build is still there")
	}
	if _, err := os.Stat(filepath.Join(out, ".gitkeep")); err != nil {
		t.Error(".gitkeep is gone")
	}
}

func TestFailedBuildLeavesTheOldPages(t *testing.T) {
	for name, text := range map[string]string{"demo/main.tsx": "const = 1", "phone/index.html": "<p>names nothing</p>"} {
		src, out := place(t, sources), place(t, map[string]string{"index.html": "old"})
		if err := os.WriteFile(filepath.Join(src, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := bundlePages(src, filepath.Join(place(t, manual), "docs"), out); err == nil {
			t.Errorf("%s with %q was built", name, text)
		}
		if read(t, filepath.Join(out, "index.html")) != "old" {
			t.Errorf("%s with %q: the old page is gone", name, text)
		}
	}
}

func TestTestsAreBundledForNode(t *testing.T) {
	out := t.TempDir()
	if err := bundleTests(place(t, sources), out); err != nil {
		t.Fatal(err)
	}
	if text := read(t, filepath.Join(out, "sdk/test/dial.test.mjs")); !strings.Contains(text, `dial("1")`) || strings.Contains(text, ": string") {
		t.Errorf("got %s", text)
	}
	if err := bundleTests(t.TempDir(), out); err == nil {
		t.Error("no tests at all is no error")
	}
}

func TestManualIsASite(t *testing.T) {
	out := t.TempDir()
	if err := bundlePages(place(t, sources), filepath.Join(place(t, manual), "docs"), out); err != nil {
		t.Fatal(err)
	}
	first, other := read(t, filepath.Join(out, "docs.html")), read(t, filepath.Join(out, "docs/other.html"))
	for _, want := range []string{
		"<title>First steps</title>", `href="/docs/other#end"`, `href="` + repository + `main.go"`,
		`href="https://example.org/x.md"`, `<h2 id="dial-it">`, "<td>1</td>", "/assets/docs-",
	} {
		if !strings.Contains(first, want) {
			t.Errorf("no %s in %s", want, first)
		}
	}
	if strings.Contains(first, "<x>") {
		t.Error("HTML in the text was passed on")
	}
	if !strings.Contains(other, `<a href="/docs">`) {
		t.Errorf("the menu or the way back is missing: %s", other)
	}
}

func TestManualMustHoldTogether(t *testing.T) {
	for _, wrong := range []struct{ name, text string }{
		{"other.md", "# Other\n\n[gone](nowhere.md)\n"},
		{"other.md", "no heading\n"},
		{"site", "  guide/first.md\n"},
		{"site", "Start\n  missing.md\n"},
	} {
		docs := filepath.Join(place(t, manual), "docs")
		if err := os.WriteFile(filepath.Join(docs, wrong.name), []byte(wrong.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := bundlePages(place(t, sources), docs, t.TempDir()); err == nil {
			t.Errorf("%s with %q was built", wrong.name, wrong.text)
		}
	}
}
