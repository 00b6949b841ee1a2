// Command voice-bot answers with a bot that says a jingle, then repeats what the
// caller says. Key 0 hands over to the group "sales", after the bot's goodbye was
// heard. A real bot has a model in place of the echo: see examples/realtime-bot.
package main

import (
	"encoding/binary"
	"math"
	"net/http"
	"time"

	"github.com/offhook/offhook/examples/app"
)

const rate = 16000 // samples a second

func main() {
	mux := http.NewServeMux()
	app.Handle(mux, "/answer", func(f app.Fields) app.Flow {
		return app.TalkTo("/audio", f.Text("uuid"), "16000")
	})
	app.HandleBot(mux, "/audio", func(c *app.Caller) app.Bot {
		c.Say(tone(523, 300*time.Millisecond))
		c.Say(tone(659, 300*time.Millisecond))
		c.Mark("greeted")
		return &parrot{caller: c}
	})
	app.Serve(mux)
}

// parrot is the brain: it repeats what it hears.
type parrot struct {
	caller  *app.Caller
	listens bool // the greeting was heard; what came before would only be late
	bye     bool
}

// Heard implements app.Bot.
func (p *parrot) Heard(pcm []byte) {
	if p.listens {
		p.caller.Say(pcm)
	}
}

// Pressed implements app.Bot.
func (p *parrot) Pressed(key string) {
	if key != "0" || p.bye {
		return
	}
	p.bye, p.listens = true, false
	p.caller.Hush()
	p.caller.Say(tone(440, 400*time.Millisecond))
	p.caller.Mark("goodbye")
}

// Said implements app.Bot.
func (p *parrot) Said(mark string) {
	switch mark {
	case "greeted":
		p.listens = !p.bye
	case "goodbye":
		p.caller.HandOver("sales")
	}
}

// Gone implements app.Bot.
func (p *parrot) Gone() {}

// tone makes samples of a tone.
func tone(hertz float64, length time.Duration) []byte {
	pcm := make([]byte, 0, 2*rate)
	for n := range int(length.Seconds() * rate) {
		sample := 8000 * math.Sin(2*math.Pi*hertz*float64(n)/rate)
		pcm = binary.LittleEndian.AppendUint16(pcm, uint16(int16(sample)))
	}
	return pcm
}
