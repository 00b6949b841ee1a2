package sip

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
)

var (
	errTooLarge = errors.New("sip: message above 64 KB")
	errLength   = errors.New("sip: bad or missing Content-Length")
)

// crlf is the keep-alive of RFC 5626 section 4.4.1: two from the client, one back.
var crlf = []byte("\r\n")

// framer cuts a byte stream into messages by Content-Length (RFC 3261 section
// 18.3). Its buffer grows with the message and is given back after it.
type framer struct {
	r   io.Reader
	buf []byte // unread bytes
	// searched is how much of buf has no end of header in it, and total the length
	// of the message whose header is complete, else 0: bytes that drip in one by
	// one are looked at once.
	searched, total int
	// pong is called for a keep-alive.
	pong func()
	// partial is called before waiting for the rest of a message, idle before
	// waiting for a new one: they set deadlines.
	partial, idle func()
}

// readChunk is the least room for one read, in bytes.
const readChunk = 2048

// next returns the next message, valid until the call after. With errLength the
// message is returned as far as it came, so that it can be refused.
func (f *framer) next() ([]byte, error) {
	for {
		f.skipKeepAlives()
		if err := f.measure(); err != nil {
			return f.buf, err
		}
		if f.total > 0 && len(f.buf) >= f.total {
			msg := f.buf[:f.total:f.total]
			f.buf, f.searched, f.total = f.buf[f.total:], 0, 0
			return msg, nil
		}
		if err := f.fill(); err != nil {
			return nil, err
		}
	}
}

// measure looks for the end of the header and the length of the message.
func (f *framer) measure() error {
	if f.total > 0 {
		return nil
	}
	head := bytes.Index(f.buf[f.searched:], []byte("\r\n\r\n"))
	if head < 0 {
		f.searched = max(len(f.buf)-3, 0)
		if len(f.buf) >= maxMessage {
			return errTooLarge
		}
		return nil
	}
	head += f.searched
	length, err := contentLength(f.buf[:head])
	if err != nil {
		return err
	}
	f.total = head + 4 + length
	if f.total > maxMessage {
		return errTooLarge
	}
	return nil
}

// skipKeepAlives drops line ends between messages and answers each pair.
func (f *framer) skipKeepAlives() {
	for f.total == 0 && bytes.HasPrefix(f.buf, crlf) {
		if bytes.HasPrefix(f.buf, []byte("\r\n\r\n")) {
			f.pong()
			f.buf = f.buf[2:]
		}
		f.buf = f.buf[2:]
		f.searched = 0
	}
}

func (f *framer) fill() error {
	if len(f.buf) == 0 || (len(f.buf) == 1 && f.buf[0] == '\r') {
		f.idle()
	} else {
		f.partial()
	}
	if n := len(f.buf); cap(f.buf)-n < readChunk/4 {
		f.buf = append(make([]byte, 0, n+max(readChunk, n)), f.buf...)
	}
	n, err := f.r.Read(f.buf[len(f.buf):cap(f.buf)])
	f.buf = f.buf[:len(f.buf)+n]
	if n > 0 {
		return nil
	}
	return err
}

// contentLength finds the length in a header section. It must be there once, or
// agree with itself: guessing where the next message begins is how requests are
// smuggled.
func contentLength(head []byte) (int, error) {
	length := -1
	for line := range bytes.Lines(head) {
		name, value, ok := strings.Cut(string(bytes.TrimRight(line, "\r\n")), ":")
		if !ok || name == "" || name[0] == ' ' || name[0] == '\t' {
			continue
		}
		name = strings.TrimSpace(name)
		if !strings.EqualFold(name, "Content-Length") && !strings.EqualFold(name, "l") {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 31)
		if err != nil || (length >= 0 && int(n) != length) {
			return 0, errLength
		}
		length = int(n)
	}
	if length < 0 {
		return 0, errLength
	}
	return length, nil
}
