package sounds

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/offhook/offhook/internal/media/file"
	"github.com/offhook/offhook/internal/outward"
)

const (
	// maxBytes is the longest file that is fetched: 20 minutes of good MP3.
	maxBytes = 20 << 20
	// maxRedirects is how often a URL may lead to another one.
	maxRedirects = 3
	// Bounds of how long a URL is not asked again, and what holds if it says nothing.
	minLife, usualLife, maxLife = time.Second, 5 * time.Minute, 24 * time.Hour
)

// Errors of URLs.
var (
	errTooBig    = fmt.Errorf("is longer than %d MB", maxBytes>>20)
	errScheme    = errors.New("is neither http nor https")
	errRedirects = errors.New("leads on and on")
	errDowngrade = errors.New("leads from https to http")
	errLate      = fmt.Errorf("did not come within %v", getTime)
	errRefused   = errors.New("the server refuses it")
	errStatus    = errors.New("the server is in trouble")
)

// web fetches URLs.
type web struct{ client *http.Client }

func newWeb(g outward.Guard) *web {
	return &web{&http.Client{
		// Without a proxy, which would connect where we must not, and without
		// connections that are kept, so that each is checked.
		Transport: &http.Transport{
			DialContext: g.Dial, DisableKeepAlives: true, DisableCompression: true,
			TLSHandshakeTimeout: 5 * time.Second, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: follow,
	}}
}

// follow decides on a redirect.
func follow(req *http.Request, via []*http.Request) error {
	switch {
	case len(via) > maxRedirects:
		return errRedirects
	case via[0].URL.Scheme == "https" && req.URL.Scheme != "https":
		return errDowngrade
	}
	return checkScheme(req.URL)
}

func checkScheme(u *url.URL) error {
	if u.Scheme != "http" && u.Scheme != "https" {
		return errScheme
	}
	return nil
}

// get fetches a sound, if it is not still the one of old. ctx bounds the fetching,
// not the decoding.
func (w *web) get(ctx context.Context, name string, old mark, decode func(io.Reader) (*file.PCM, error)) (answer, error) {
	a, body, err := w.fetch(ctx, name, old)
	if fault, ok := errors.AsType[*url.Error](err); ok {
		err = fault.Err // the URL is said by the caller, without its secrets
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = errLate
	}
	if err != nil || body == nil {
		return a, err
	}
	a.pcm, err = decode(bytes.NewReader(body))
	return a, err
}

// fetch returns the body, nil if it is still the one of old.
func (w *web) fetch(ctx context.Context, name string, old mark) (a answer, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, name, http.NoBody)
	if err != nil {
		return answer{}, nil, err
	}
	if err := checkScheme(req.URL); err != nil {
		return answer{}, nil, err
	}
	req.Header.Set("User-Agent", "offhook")
	req.Header.Set("Accept", "audio/*")
	for header, value := range map[string]string{"If-None-Match": old.tag, "If-Modified-Since": old.modified} {
		if value != "" {
			req.Header.Set(header, value)
		}
	}
	res, err := w.client.Do(req)
	if err != nil {
		return answer{}, nil, err
	}
	defer res.Body.Close()
	a = answer{life: lifeOf(res.Header), mark: mark{tag: res.Header.Get("ETag"), modified: res.Header.Get("Last-Modified")}}
	switch {
	case res.StatusCode == http.StatusNotModified && old != mark{}:
		a.mark = old
		return a, nil, nil
	case res.StatusCode >= 400 && res.StatusCode < 500:
		return answer{}, nil, fmt.Errorf("%w: %s", errRefused, res.Status)
	case res.StatusCode != http.StatusOK:
		return answer{}, nil, fmt.Errorf("%w: %s", errStatus, res.Status)
	case res.ContentLength > maxBytes:
		return answer{}, nil, errTooBig
	}
	body, err = io.ReadAll(io.LimitReader(res.Body, maxBytes+1))
	if err == nil && len(body) > maxBytes {
		err = errTooBig
	}
	return a, body, err
}

// lifeOf reads how long an answer may be used without asking again. What must not
// be kept is kept for a second: everybody who is called at once gets the same.
func lifeOf(h http.Header) time.Duration {
	life := usualLife
	for directive := range strings.SplitSeq(strings.ToLower(strings.Join(h.Values("Cache-Control"), ",")), ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch key {
		case "no-store", "no-cache":
			return minLife
		case "max-age":
			if seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31); err == nil {
				life = time.Duration(seconds) * time.Second
			}
		}
	}
	return max(minLife, min(maxLife, life))
}

// display is a name for logs: of a URL without password and query.
func display(name string) string {
	if !isURL(name) {
		return name
	}
	u, err := url.Parse(name)
	if err != nil { // where its secrets are cannot be told
		return "a malformed URL"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}
