package wsedge

import (
	"context"
	"io"
	"time"

	"github.com/coder/websocket"
)

// maxText bounds a text of a server, in bytes; a longer one ends the connection.
const maxText = 64 << 10

// read takes what the server sends until its connection ends.
func (l *leg) read(conn *websocket.Conn) error {
	buf := make([]byte, 4096)
	for {
		// The connection ends reading, not the leg: it must see the answer to our close.
		kind, r, err := conn.Reader(context.WithoutCancel(l.ctx))
		if err != nil {
			return err
		}
		if kind == websocket.MessageText {
			if err := l.readText(conn, r); err != nil {
				return err
			}
			continue
		}
		for err == nil {
			var n int
			n, err = r.Read(buf)
			l.in.put(buf[:n], time.Now())
		}
		if err != io.EOF { //nolint:errorlint // a Reader's end is this value
			return err
		}
	}
}

func (l *leg) readText(conn *websocket.Conn, r io.Reader) error {
	text, err := io.ReadAll(io.LimitReader(r, maxText+1))
	if err != nil {
		return err
	}
	if len(text) > maxText {
		return conn.Close(websocket.StatusMessageTooBig, "text too long")
	}
	l.obey(text)
	return nil
}

// obey does what a text asks for. What is unknown means nothing.
func (l *leg) obey(text []byte) {
	o, ok := readOrder(text)
	if !ok {
		return
	}
	switch o.Action {
	case "clear":
		l.in.clear()
		l.out.text(cleared())
	case "notify":
		if l.in.mark(o.Payload) {
			l.out.text(notified(o.Payload))
		}
	}
}
