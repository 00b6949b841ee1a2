// Command realtime-bot answers with a model behind an OpenAI-style realtime server:
//
//	REALTIME_URL=wss://api.example.com/v1/realtime?model=NAME REALTIME_KEY=... realtime-bot
//
// The model hears the caller and speaks; the caller may interrupt it. When it calls the
// tool hand_over the caller is connected with the group "sales".
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"log"
	"net/http"
	"os"

	"github.com/coder/websocket"

	"github.com/offhook/offhook/examples/app"
)

const instructions = "You answer the phone of a small company. Be brief. When the caller wants a person, say goodbye and call hand_over."

func main() {
	mux := http.NewServeMux()
	app.Handle(mux, "/answer", func(f app.Fields) app.Flow {
		return app.TalkTo("/audio", f.Text("uuid"), "24000") // the rate of the model
	})
	app.HandleBot(mux, "/audio", func(c *app.Caller) app.Bot { return connect(c) })
	app.Serve(mux)
}

// brain is a session with the model.
type brain struct {
	caller *app.Caller
	conn   *websocket.Conn
	ctx    context.Context //nolint:containedctx // lives as long as the call
	cancel context.CancelFunc
}

// connect opens a session for a caller.
func connect(c *app.Caller) app.Bot {
	b := &brain{caller: c}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	conn, _, err := websocket.Dial(b.ctx, os.Getenv("REALTIME_URL"), &websocket.DialOptions{ //nolint:bodyclose // Dial closes it
		HTTPHeader: http.Header{"Authorization": {"Bearer " + os.Getenv("REALTIME_KEY")}},
	})
	if err != nil {
		log.Print("no model: ", err)
		c.HandOver("sales")
		return b
	}
	conn.SetReadLimit(4 << 20)
	b.conn = conn
	b.send(map[string]any{"type": "session.update", "session": map[string]any{
		"instructions": instructions, "modalities": []string{"audio", "text"},
		"input_audio_format": "pcm16", "output_audio_format": "pcm16",
		"turn_detection": map[string]string{"type": "server_vad"},
		"tools": []map[string]any{{
			"type": "function", "name": "hand_over", "description": "Connects the caller with a person.",
			"parameters": map[string]any{"type": "object", "properties": map[string]any{}},
		}},
	}})
	b.send(map[string]any{"type": "response.create"}) // the bot speaks first
	go b.listen()
	return b
}

// listen carries out what the model says.
func (b *brain) listen() {
	for {
		_, message, err := b.conn.Read(b.ctx)
		if err != nil {
			return
		}
		var event struct{ Type, Delta, Name string }
		if err := json.Unmarshal(message, &event); err != nil {
			log.Print(err)
			continue
		}
		switch event.Type {
		case "response.audio.delta", "response.output_audio.delta":
			pcm, err := base64.StdEncoding.DecodeString(event.Delta)
			if err != nil {
				log.Print(err)
				continue
			}
			b.caller.Say(pcm)
		case "input_audio_buffer.speech_started": // the caller interrupts
			b.caller.Hush()
		case "response.function_call_arguments.done":
			if event.Name == "hand_over" {
				b.caller.Mark("goodbye")
			}
		}
	}
}

// Heard implements app.Bot.
func (b *brain) Heard(pcm []byte) {
	b.send(map[string]string{"type": "input_audio_buffer.append", "audio": base64.StdEncoding.EncodeToString(pcm)})
}

// Pressed implements app.Bot: 0 is a person, whatever the model thinks.
func (b *brain) Pressed(key string) {
	if key == "0" {
		b.caller.HandOver("sales")
	}
}

// Said implements app.Bot.
func (b *brain) Said(mark string) {
	if mark == "goodbye" {
		b.caller.HandOver("sales")
	}
}

// Gone implements app.Bot.
func (b *brain) Gone() {
	b.cancel()
	if b.conn != nil {
		_ = b.conn.CloseNow() // nothing is left to say
	}
}

func (b *brain) send(message any) {
	if b.conn == nil {
		return
	}
	text, err := json.Marshal(message)
	if err == nil {
		err = b.conn.Write(b.ctx, websocket.MessageText, text)
	}
	if err != nil && b.ctx.Err() == nil {
		log.Print("the model: ", err)
	}
}
