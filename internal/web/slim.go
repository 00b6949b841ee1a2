package web

import (
	"bufio"
	"net"
	"net/http"
)

// What a connection keeps after an upgrade, in bytes. Those of net/http, 4096 each
// way, would be a third of an idle browser's memory. What is longer is read and
// written in parts; most messages that we send are not.
const (
	slimRead  = 1 << 10
	slimWrite = 2 << 10
)

// slim is a response whose connection has small buffers once it is upgraded.
type slim struct{ http.ResponseWriter }

// Hijack implements http.Hijacker.
func (s slim) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffers, err := http.NewResponseController(s.ResponseWriter).Hijack()
	if err != nil || buffers.Reader.Buffered() > 0 { // a client in a hurry
		return conn, buffers, err
	}
	return conn, bufio.NewReadWriter(bufio.NewReaderSize(conn, slimRead), bufio.NewWriterSize(conn, slimWrite)), nil
}
