// Command ring-group rings several phones and a browser for each caller, who hears
// ringback and is not answered, and so pays nothing, until one of them answers.
package main

import (
	"net/http"

	"github.com/offhook/offhook/examples/app"
)

func main() {
	mux := http.NewServeMux()
	app.Handle(mux, "/answer", func(app.Fields) app.Flow {
		return app.Flow{
			{
				"action": "connect", "timeout": 20,
				"endpoint": []map[string]any{
					{"type": "phone", "number": "12995551111"},
					{"type": "phone", "number": "12995551212"},
					{"type": "app", "user": "sales"},
				},
			},
			{"action": "talk", "text": "0"}, // "Nobody is there", with an engine for speech
		}
	})
	app.Serve(mux)
}
