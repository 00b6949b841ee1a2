package main

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// repository is where links to files that are no page of the site lead.
const repository = "https://github.com/offhook/offhook/blob/main/"

// chapter is a heading of the site's menu with its pages.
type chapter struct {
	Title string
	Pages []*docPage
}

// docPage is one Markdown file as a page of the site.
type docPage struct {
	file    string // below docs/
	Path    string // "/docs/concepts"
	Title   string // its first heading
	Body    template.HTML
	Outline []heading
}

// heading is a second-level heading of a page.
type heading struct{ ID, Title string }

// bundleDocs makes the site below /docs of the Markdown files that docs/site
// lists.
func bundleDocs(docs, src string, files map[string][]byte) error {
	chapters, err := readMenu(docs)
	if err != nil {
		return err
	}
	layout, err := template.ParseFiles(filepath.Join(src, "docs", "page.html"))
	if err != nil {
		return err
	}
	style, err := bundleDocsStyle(src, files)
	if err != nil {
		return err
	}
	pages := map[string]*docPage{}
	for _, c := range chapters {
		for _, p := range c.Pages {
			pages[p.file] = p
		}
	}
	md := markdown(docs, pages)
	for _, p := range pages {
		if err := p.render(docs, md); err != nil {
			return err
		}
	}
	for _, p := range pages {
		var page bytes.Buffer
		if err := layout.Execute(&page, map[string]any{"Style": style, "Chapters": chapters, "Page": p}); err != nil {
			return err
		}
		files[strings.TrimPrefix(p.Path, "/")+".html"] = page.Bytes()
	}
	return nil
}

// readMenu reads docs/site: a line without indent begins a chapter, one with is
// a file of it. The first file is the page /docs.
func readMenu(docs string) ([]chapter, error) {
	menu, err := os.ReadFile(filepath.Join(docs, "site"))
	if err != nil {
		return nil, err
	}
	var chapters []chapter
	for line := range strings.Lines(string(menu)) {
		name := strings.TrimSpace(line)
		switch {
		case name == "" || strings.HasPrefix(name, "#"):
		case line[0] != ' ':
			chapters = append(chapters, chapter{Title: name})
		case len(chapters) == 0:
			return nil, fmt.Errorf("docs/site: %s stands before the first chapter", name)
		default:
			c := &chapters[len(chapters)-1]
			path := "/docs/" + strings.TrimPrefix(strings.TrimSuffix(name, ".md"), "guide/")
			if len(chapters) == 1 && len(c.Pages) == 0 {
				path = "/docs"
			}
			c.Pages = append(c.Pages, &docPage{file: name, Path: path})
		}
	}
	return chapters, nil
}

// render makes the HTML of a page.
func (p *docPage) render(docs string, md goldmark.Markdown) error {
	source, err := os.ReadFile(filepath.Join(docs, filepath.FromSlash(p.file)))
	if err != nil {
		return err
	}
	context := parser.NewContext()
	context.Set(pageKey, p)
	root := md.Parser().Parse(text.NewReader(source), parser.WithContext(context))
	if missing, ok := context.Get(missingKey).(error); ok {
		return fmt.Errorf("docs/%s: %w", p.file, missing)
	}
	for n := root.FirstChild(); n != nil; n = n.NextSibling() {
		h, ok := n.(*ast.Heading)
		if !ok {
			continue
		}
		title := string(textOf(h, source))
		id, _ := h.AttributeString("id")
		name, _ := id.([]byte)
		switch {
		case h.Level == 1 && p.Title == "":
			p.Title = title
		case h.Level == 2:
			p.Outline = append(p.Outline, heading{ID: string(name), Title: title})
		}
	}
	if p.Title == "" {
		return fmt.Errorf("docs/%s: no heading", p.file)
	}
	var body bytes.Buffer
	if err := md.Renderer().Render(&body, source, root); err != nil {
		return err
	}
	p.Body = template.HTML(reachable.Replace(body.String())) //nolint:gosec // our own files
	return nil
}

// reachable lets the keyboard scroll what is wider than the screen, and makes no
// heading of a table's empty corner.
var reachable = strings.NewReplacer("<pre>", `<pre tabindex="0">`, "<table>", `<table tabindex="0">`, "<th></th>", "<td></td>")

// textOf returns the words of a heading.
func textOf(n ast.Node, source []byte) (words []byte) {
	for child := n.FirstChild(); child != nil; child = child.NextSibling() {
		if t, ok := child.(*ast.Text); ok {
			words = append(words, t.Segment.Value(source)...)
			continue
		}
		words = append(words, textOf(child, source)...)
	}
	return words
}

var (
	pageKey    = parser.NewContextKey() // *docPage that is parsed
	missingKey = parser.NewContextKey() // error: a link that leads nowhere
)

func markdown(docs string, pages map[string]*docPage) goldmark.Markdown {
	return goldmark.New(
		goldmark.WithExtensions(extension.Table),
		goldmark.WithParserOptions(
			parser.WithAutoHeadingID(),
			parser.WithASTTransformers(util.Prioritized(&relinker{docs: docs, pages: pages}, 100)),
		),
	)
}

// relinker makes links between files into links between pages.
type relinker struct {
	docs  string
	pages map[string]*docPage
}

// Transform implements parser.ASTTransformer.
func (r *relinker) Transform(doc *ast.Document, _ text.Reader, context parser.Context) {
	p, _ := context.Get(pageKey).(*docPage)
	err := ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		link, ok := n.(*ast.Link)
		if !entering || !ok {
			return ast.WalkContinue, nil
		}
		to, err := r.target(p, string(link.Destination))
		link.Destination = []byte(to)
		return ast.WalkContinue, err
	})
	if err != nil {
		context.Set(missingKey, err)
	}
}

// target returns where a link on page p leads on the site.
func (r *relinker) target(p *docPage, link string) (string, error) {
	name, anchor, _ := strings.Cut(link, "#")
	if name == "" || strings.Contains(name, ":") || name[0] == '/' {
		return link, nil
	}
	file := filepath.ToSlash(filepath.Join(filepath.Dir(filepath.FromSlash(p.file)), filepath.FromSlash(name)))
	if to, ok := r.pages[file]; ok {
		if anchor != "" {
			return to.Path + "#" + anchor, nil
		}
		return to.Path, nil
	}
	if _, err := os.Stat(filepath.Join(r.docs, filepath.FromSlash(file))); errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("%s leads nowhere", link)
	}
	to := repository + strings.TrimPrefix(filepath.ToSlash(filepath.Join("docs", filepath.FromSlash(file))), "/")
	if anchor != "" {
		to += "#" + anchor
	}
	return to, nil
}

// bundleDocsStyle builds the style of the pages and returns its address.
func bundleDocsStyle(src string, files map[string][]byte) (string, error) {
	built, err := build(api.BuildOptions{
		EntryPointsAdvanced: []api.EntryPoint{{InputPath: filepath.Join(src, "docs", "docs.css"), OutputPath: "docs"}},
		EntryNames:          "[name]-[hash]",
		Outdir:              "/assets",
		MinifyWhitespace:    true,
		MinifySyntax:        true,
	})
	if err != nil {
		return "", err
	}
	name := filepath.ToSlash(built[0].Path)
	files[strings.TrimPrefix(name, "/")] = built[0].Contents
	return name, nil
}
