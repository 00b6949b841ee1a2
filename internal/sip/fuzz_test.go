package sip

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// FuzzReceive gives any bytes to a stack that takes every call and answers
// everything: nothing panics, and no answer has lines that are not ours.
func FuzzReceive(f *testing.F) {
	files, err := filepath.Glob("testdata/rfc4475/*.dat")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, true)
	}
	for i, method := range []string{"INVITE", "CANCEL", "ACK", "BYE", "REFER"} {
		f.Add([]byte(request(method, "sip:x@y", "1.2.3.4:5", "b", "a", "", i, "")), i%2 == 0)
	}
	f.Fuzz(func(t *testing.T, data []byte, udp bool) {
		l := &captureLink{proto: TCP, got: func(answer []byte) {
			if strayLineEnd(answer) || !bytes.Contains(answer, []byte("\r\n\r\n")) {
				t.Errorf("odd message %q", answer)
			}
		}}
		if udp {
			l.proto = UDP
		}
		s := NewStack(Config{Handler: HandlerFunc(func(tx *ServerTx, req *Request) {
			if req.Method == INVITE {
				in := tx.stack.Incoming(tx, IncomingEvents{})
				in.Ring(180, nil)
				in.Answer([]byte("v=0\r\n"))
				in.Dialog().Bye()
				return
			}
			tx.Reply(200, "")
		})})
		defer s.Close()
		s.log = panicLog(t)
		for range 2 { // the second is a repeat
			if err := s.receive(data, Flow{link: l, remote: l.peer()}); err != nil {
				return
			}
		}
	})
}
