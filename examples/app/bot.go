package app

import (
	"context"
	"encoding/json"
	"log"
	"net/http"

	"github.com/coder/websocket"
)

// Caller is who talks with a bot, over the WebSocket of one call. Its methods are
// safe for concurrent use.
type Caller struct {
	Leg  string // of the caller, not of the WebSocket
	conn *websocket.Conn
	ctx  context.Context //nolint:containedctx // lives as long as the connection
}

// Bot is what talks with one caller. Its methods are called one at a time.
type Bot interface {
	// Heard gets 20 ms of what the caller says: 16-bit samples, little endian.
	Heard(pcm []byte)
	// Pressed gets a key of the caller.
	Pressed(key string)
	// Said is called when all that was said before Mark was heard.
	Said(mark string)
	// Gone is the last call.
	Gone()
}

// TalkTo is the flow that connects a caller with the bot at path of this program; rate
// is 8000, 16000 or 24000 Hz.
func TalkTo(path, leg, rate string) Flow {
	return Flow{{"action": "connect", "endpoint": []map[string]any{{
		"type": "websocket", "uri": "ws" + Here()[len("http"):] + path,
		"content-type": "audio/l16;rate=" + rate, "headers": map[string]string{"caller": leg},
	}}}}
}

// HandleBot lets a new bot talk with each caller who is connected with path.
func HandleBot(mux *http.ServeMux, path string, answer func(*Caller) Bot) {
	mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return // Accept has answered
		}
		defer conn.CloseNow()
		caller := &Caller{conn: conn, ctx: r.Context()}
		var bot Bot
		for {
			kind, message, err := conn.Read(r.Context())
			if err != nil {
				break
			}
			if kind == websocket.MessageBinary {
				if bot != nil {
					bot.Heard(message)
				}
				continue
			}
			bot = caller.told(bot, message, answer)
		}
		if bot != nil {
			bot.Gone()
		}
	})
}

// told passes on what offhook says in a text frame.
func (c *Caller) told(bot Bot, message []byte, answer func(*Caller) Bot) Bot {
	var event struct {
		Event, Caller, Digit string
		Payload              struct{ Mark string }
	}
	if err := json.Unmarshal(message, &event); err != nil {
		log.Print(err)
		return bot
	}
	switch {
	case event.Event == "websocket:connected":
		c.Leg = event.Caller
		return answer(c)
	case bot == nil:
	case event.Event == "websocket:dtmf":
		bot.Pressed(event.Digit)
	case event.Event == "websocket:notify":
		bot.Said(event.Payload.Mark)
	}
	return bot
}

// Say lets the caller hear samples after all that was said before.
func (c *Caller) Say(pcm []byte) {
	c.write(websocket.MessageBinary, pcm)
}

// Mark makes Said be called when the caller has heard all that was said so far.
func (c *Caller) Mark(mark string) {
	c.text(map[string]any{"action": "notify", "payload": map[string]string{"mark": mark}})
}

// Hush drops what was said and not heard.
func (c *Caller) Hush() { c.text(map[string]any{"action": "clear"}) }

// HandOver rings a group for the caller and hangs up the bot's own leg, which would
// stay in the call it leaves.
func (c *Caller) HandOver(group string) {
	err := Request(http.MethodPut, "/v1/calls/"+c.Leg, map[string]any{
		"action": "transfer",
		"destination": map[string]any{"type": "ncco", "ncco": Flow{
			{"action": "connect", "timeout": 30, "endpoint": []map[string]any{{"type": "group", "name": group}}},
		}},
	})
	if err != nil {
		log.Print(err)
	}
	_ = c.conn.Close(websocket.StatusNormalClosure, "handed over") // the caller may be gone
}

func (c *Caller) text(message any) {
	text, err := json.Marshal(message)
	if err != nil {
		log.Print(err)
		return
	}
	c.write(websocket.MessageText, text)
}

func (c *Caller) write(kind websocket.MessageType, message []byte) {
	if err := c.conn.Write(c.ctx, kind, message); err != nil {
		log.Print("the caller is gone: ", err)
	}
}
