package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

// dist holds what "go run ./tools/web" built; only the .gitkeep before that.
//
//go:embed all:dist
var dist embed.FS

// unbuilt is served in place of the pages by a binary that was built without them.
//
//go:embed unbuilt.html
var unbuilt []byte

// site is the pages and their files, ready to send.
type site struct {
	files map[string]file // by URL path
	pages map[string]file // "/", "/demo", "/docs" and below, by URL path
}

// file is one embedded file.
type file struct {
	body, gzipped []byte // gzipped is nil where it would not be smaller
	contentType   string
	cache         string
	etag          string
	status        int
	shared        bool // pages of other origins may load it
}

// Cache rules: the name of an asset changes with its content, a page must be
// asked for each time because it names the assets, and the SDK and the icon keep
// their names, so an ETag says whether they changed.
const (
	cacheForever = "public, max-age=31536000, immutable"
	cacheAsk     = "no-cache"
)

func loadSite(demo bool) (*site, error) {
	root, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, fmt.Errorf("web: pages: %w", err)
	}
	return newSite(root, demo)
}

// newSite reads every file of root. Without an index.html the pages say how to
// build them.
func newSite(root fs.FS, demo bool) (*site, error) {
	s := &site{files: map[string]file{}, pages: map[string]file{}}
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		body, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		switch {
		case name == "index.html":
			if demo { // the page then offers the simulated phone network
				body = bytes.Replace(body, []byte("<html "), []byte("<html data-demo "), 1)
			}
			s.pages["/"], err = newFile(name, body, cacheAsk)
		case name == "demo.html":
			if demo {
				s.pages["/demo"], err = newFile(name, body, cacheAsk)
			}
		case name == "docs.html", strings.HasPrefix(name, "docs/"):
			s.pages["/"+strings.TrimSuffix(name, ".html")], err = newFile(name, body, cacheAsk)
		case strings.HasPrefix(name, "assets/"):
			s.files["/"+name], err = newFile(name, body, cacheForever)
		default:
			s.files["/"+name], err = newFile(name, body, cacheAsk)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("web: pages: %w", err)
	}
	if _, built := s.pages["/"]; !built {
		page, err := newFile("unbuilt.html", unbuilt, "no-store")
		if err != nil {
			return nil, err
		}
		page.status = http.StatusServiceUnavailable
		s.pages["/"] = page
		if demo {
			s.pages["/demo"] = page
		}
	}
	return s, nil
}

func newFile(name string, body []byte, cache string) (file, error) {
	sum := sha256.Sum256(body)
	f := file{
		body:        body,
		contentType: mime.TypeByExtension(path.Ext(name)),
		cache:       cache,
		etag:        hex.EncodeToString(sum[:8]),
		status:      http.StatusOK,
		shared:      strings.HasPrefix(name, "sdk/"),
	}
	if path.Ext(name) == ".js" {
		f.contentType = "text/javascript; charset=utf-8" // whatever the machine's mime.types say
	}
	var buf bytes.Buffer
	zip, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err != nil {
		return file{}, fmt.Errorf("web: compress %s: %w", name, err)
	}
	_, err = zip.Write(body)
	if err := errors.Join(err, zip.Close()); err != nil {
		return file{}, fmt.Errorf("web: compress %s: %w", name, err)
	}
	if buf.Len() < len(body) {
		f.gzipped = buf.Bytes()
	}
	return f, nil
}

func (s *site) register(mux *http.ServeMux) {
	for url, page := range s.pages {
		pattern := "GET " + url
		if url == "/" {
			pattern = "GET /{$}"
		}
		mux.Handle(pattern, page)
	}
	for url, f := range s.files {
		mux.Handle("GET "+url, f)
	}
	if _, demo := s.pages["/demo"]; !demo {
		mux.HandleFunc("GET /demo", func(w http.ResponseWriter, _ *http.Request) {
			plain(w, http.StatusNotFound, "The simulated phone network runs with \"offhook demo\", not with \"offhook serve\".")
		})
	}
}

// ServeHTTP sends the file, compressed if the client takes gzip, or 304 if the
// client has it.
func (f file) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	body, etag := f.body, `"`+f.etag+`"`
	if f.gzipped != nil {
		h.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r) {
			body, etag = f.gzipped, `"`+f.etag+`-gz"`
			h.Set("Content-Encoding", "gzip")
		}
	}
	if f.shared {
		h.Set("Access-Control-Allow-Origin", "*") // a module script is fetched with CORS
	}
	h.Set("Cache-Control", f.cache)
	h.Set("Etag", etag)
	if hasToken(r.Header["If-None-Match"], etag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", f.contentType)
	h.Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(f.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client may be gone: nobody to tell
	}
}

// acceptsGzip reports whether r lists gzip with a quality other than 0.
func acceptsGzip(r *http.Request) bool {
	for _, value := range r.Header["Accept-Encoding"] {
		for part := range strings.SplitSeq(value, ",") {
			coding, params, _ := strings.Cut(strings.ToLower(part), ";")
			if strings.TrimSpace(coding) == "gzip" {
				quality := strings.TrimSpace(params)
				return quality != "q=0" && !strings.HasPrefix(quality, "q=0.0")
			}
		}
	}
	return false
}
