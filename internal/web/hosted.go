package web

import (
	"net/http"
	"strings"
)

// hostedSDK serves our browser SDK where pages that were written for the hosted
// platforms load theirs from, in any version:
// /npm/@vonage/client-sdk@latest/dist/vonageClientSDK.min.js. Who runs such a page
// leads the name cdn.jsdelivr.net here.
func (s *site) hostedSDK(w http.ResponseWriter, r *http.Request) {
	module, _, _ := strings.Cut(r.PathValue("module"), "@")
	f, ok := file{}, false
	if r.PathValue("scope") == "@vonage" && module == "client-sdk" {
		switch r.PathValue("file") {
		case "vonageClientSDK.js", "vonageClientSDK.min.js":
			f, ok = s.files["/sdk/vonageClientSDK.js"]
		case "vonageClientSDK.mjs", "vonageClientSDK.esm.js", "vonageClientSDK.esm.min.js":
			f, ok = s.files["/sdk/vonageClientSDK.mjs"]
		}
	}
	switch {
	case !ok:
		http.NotFound(w, r)
	case r.Method == http.MethodOptions:
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Allow-Headers", "*")
		w.WriteHeader(http.StatusNoContent)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD, OPTIONS")
		plain(w, http.StatusMethodNotAllowed, "GET only")
	default:
		f.shared, f.contentType = true, "application/javascript"
		f.ServeHTTP(w, r)
	}
}
