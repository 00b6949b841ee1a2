// Command ivr asks the caller to press a key and rings the group that the key
// stands for.
package main

import (
	"net/http"

	"github.com/offhook/offhook/examples/app"
)

func main() {
	menu := app.Flow{
		{"action": "talk", "text": "1 2", "bargeIn": true}, // "Press one for sales, two for support", with an engine for speech
		{
			"action": "input", "type": []string{"dtmf"}, "eventUrl": []string{app.Here() + "/key"},
			"dtmf": map[string]any{"maxDigits": 1, "timeOut": 8},
		},
	}
	groups := map[string]string{"1": "sales", "2": "support"}

	mux := http.NewServeMux()
	app.Handle(mux, "/answer", func(app.Fields) app.Flow { return menu })
	app.Handle(mux, "/key", func(f app.Fields) app.Flow {
		keys, _ := f["dtmf"].(map[string]any)
		key, _ := keys["digits"].(string)
		group, ok := groups[key]
		if !ok {
			return menu
		}
		return app.Flow{
			{"action": "connect", "timeout": 30, "endpoint": []map[string]any{{"type": "group", "name": group}}},
			{"action": "talk", "text": "0"}, // "Nobody is there"
		}
	})
	app.Serve(mux)
}
