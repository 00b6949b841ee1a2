package voice

import (
	"cmp"
	"mime"
	"net/http"
	"strings"
	"time"
)

// downloadTime bounds the download of a file.
const downloadTime = 30 * time.Minute

// getFile serves GET /v1/files/{id} and /v3/files/{id}: recordings and what was made
// of them.
func (a *API) getFile(w http.ResponseWriter, r *request) error {
	if a.cfg.Files == nil {
		return notFound()
	}
	body, file, err := a.cfg.Files.Open(r.Context(), r.app.ID, strings.ToLower(r.PathValue("id")))
	if err != nil {
		return err
	}
	defer body.Close()
	// Hours of sound take longer over a slow line than what the server gives a response.
	// Where that cannot be changed, it stays.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(downloadTime))
	h := w.Header()
	h.Set("Content-Type", file.ContentType)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": file.Name}))
	http.ServeContent(w, r.Request, file.Name, file.Made, body) // with ranges
	return nil
}

// fileURL is where a file can be fetched.
func (a *API) fileURL(id string) string {
	return cmp.Or(a.cfg.Settings.Files, a.cfg.Base()) + "/v1/files/" + id
}

// regionBase is the address of the API that applications are told.
func (a *API) regionBase() string { return cmp.Or(a.cfg.Settings.Region, a.cfg.Base()) }
