package sip

import (
	"bytes"
	"errors"
	"io"
	"sync"
)

// errInjection refuses a message in which a value smuggles in lines of its own.
var errInjection = errors.New("sip: line break in a header value")

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// wireMessage is what Request and Response share for writing.
type wireMessage interface {
	Message
	StartLineWrite(io.StringWriter)
	Headers() []Header
}

// marshal returns the bytes of m. Values come from peers and applications, so it
// checks that there are as many lines as headers.
func marshal(m wireMessage) ([]byte, error) {
	b, ok := buffers.Get().(*bytes.Buffer)
	if !ok {
		b = new(bytes.Buffer)
	}
	defer buffers.Put(b)
	b.Reset()
	m.StringWrite(b)
	head := b.Bytes()[:b.Len()-len(m.Body())]
	lines := len(m.Headers()) + 2
	if bytes.Count(head, []byte("\r\n")) != lines ||
		bytes.Count(head, []byte("\n")) != lines || bytes.Count(head, []byte("\r")) != lines {
		return nil, errInjection
	}
	return bytes.Clone(b.Bytes()), nil
}
