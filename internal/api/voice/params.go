package voice

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/webhook"
)

// params is the body of a webhook, in the order in which it is written.
type params []webhook.Param

func (p *params) raw(name, json string) {
	*p = append(*p, webhook.Param{Name: name, Value: []byte(json)})
}

func (p *params) text(name, value string) { *p = append(*p, webhook.String(name, value)) }

func (p *params) null(names ...string) {
	for _, name := range names {
		p.raw(name, "null")
	}
}

func (p *params) truth(name string, value bool) { p.raw(name, strconv.FormatBool(value)) }

func (p *params) number(name string, value int64) { p.raw(name, strconv.FormatInt(value, 10)) }

func (p *params) time(name string, at time.Time) { p.text(name, stamp(at)) }

// object writes members as an object of their own.
func (p *params) object(name string, members params) { p.raw(name, members.json()) }

// json writes the members, compact and in order.
func (p params) json() string {
	var b strings.Builder
	b.WriteByte('{')
	for i, m := range p {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quote(m.Name))
		b.WriteByte(':')
		b.Write(m.Value)
	}
	b.WriteByte('}')
	return b.String()
}

// quote writes a text as JSON.
func quote(s string) string { return string(webhook.String("", s).Value) }

// stamp writes a time as applications know it: UTC with milliseconds.
func stamp(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }

// headers writes the headers of a leg. Those of a WebSocket are JSON already.
func headers(list []core.Header, edge core.Edge) string {
	var p params
	for _, h := range list {
		if edge == core.EdgeSocket && json.Valid([]byte(h.Value)) {
			p.raw(h.Name, h.Value)
			continue
		}
		p.text(h.Name, h.Value)
	}
	return p.json()
}
