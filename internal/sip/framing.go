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
// 18.3). Its buffer grows with the message and is given back between messages.
type framer struct {
	r   io.Reader
	buf []byte // unread bytes
	// pong is called for a keep-alive.
	pong func()
	// partial is called when a message has begun and is not complete yet, and done
	// when the buffer is empty again: they set deadlines.
	partial, idle func()
}

const readChunk = 2048

// next returns the next message, valid until the call after. With errLength the
// message is returned as far as it came, so that it can be refused.
func (f *framer) next() ([]byte, error) {
	for {
		f.skipKeepAlives()
		head := bytes.Index(f.buf, []byte("\r\n\r\n"))
		if head >= 0 {
			length, err := contentLength(f.buf[:head])
			if err != nil {
				return f.buf[:head+4], err
			}
			total := head + 4 + length
			if total > maxMessage {
				return nil, errTooLarge
			}
			if len(f.buf) >= total {
				msg := f.buf[:total:total]
				f.buf = f.buf[total:]
				return msg, nil
			}
		} else if len(f.buf) >= maxMessage {
			return nil, errTooLarge
		}
		if err := f.fill(); err != nil {
			return nil, err
		}
	}
}

// skipKeepAlives drops line ends between messages and answers each pair.
func (f *framer) skipKeepAlives() {
	for bytes.HasPrefix(f.buf, crlf) {
		if bytes.HasPrefix(f.buf, []byte("\r\n\r\n")) {
			f.pong()
			f.buf = f.buf[2:]
		}
		f.buf = f.buf[2:]
	}
}

func (f *framer) fill() error {
	if len(f.buf) == 0 || (len(f.buf) == 1 && f.buf[0] == '\r') {
		f.idle()
	} else {
		f.partial()
	}
	old := f.buf
	f.buf = make([]byte, len(old), len(old)+max(readChunk, len(old)))
	copy(f.buf, old)
	n, err := f.r.Read(f.buf[len(old):cap(f.buf)])
	f.buf = f.buf[:len(old)+n]
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
