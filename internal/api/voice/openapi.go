package voice

import (
	_ "embed"
	"net/http"
)

// description is the OpenAPI document of the Voice API. It is written by hand: what
// clients send in the field is wider than any type.
//
//go:embed openapi.json
var description []byte

// serveOpenAPI serves the description to anybody: it is no secret.
func serveOpenAPI(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusOK, string(description))
}
