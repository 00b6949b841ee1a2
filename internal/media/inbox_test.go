package media

import (
	"sync"
	"testing"
	"time"
)

// A reader that stood still finds the newest packets.
func TestInboxKeepsTheNewest(t *testing.T) {
	var b inbox
	for n := range inboxSize + 9 {
		b.put(numbered(n), time.Time{})
	}
	for want := uint16(9); want < inboxSize+9; want++ {
		a := b.next()
		if a == nil || a.Seq != want || a.Payload()[0] != byte(want) {
			t.Fatalf("packet %+v, want number %d", a, want)
		}
		b.taken()
	}
	if a := b.next(); a != nil {
		t.Errorf("one more packet: %d", a.Seq)
	}
}

// While packets are given up the reader gets whole ones, in order.
func TestInboxGivesUpWhileItIsRead(t *testing.T) {
	var b inbox
	var writer sync.WaitGroup
	const packets = 20000
	writer.Go(func() {
		for n := range packets {
			b.put(numbered(n), time.Time{})
		}
	})
	done := make(chan struct{})
	go func() { writer.Wait(); close(done) }()
	last, finished := -1, false
	for !finished {
		select {
		case <-done:
			finished = true
		default:
		}
		for a := b.next(); a != nil; a = b.next() {
			if int(a.Seq) <= last || a.Payload()[0] != byte(a.Seq) {
				t.Fatalf("packet %d holds %d, behind %d", a.Seq, a.Payload()[0], last)
			}
			last = int(a.Seq)
			b.taken()
		}
	}
	if b.put(numbered(packets), time.Time{}); b.next().Seq != packets {
		t.Error("the next packet was not kept")
	}
}

// What a panic left in use is forgotten with the rest.
func TestInboxIsDroppedWhileOneIsRead(t *testing.T) {
	var b inbox
	for n := range 3 {
		b.put(numbered(n), time.Time{})
	}
	b.next()
	b.drop()
	if b.put(numbered(7), time.Time{}); b.next().Seq != 7 {
		t.Error("the next packet was not kept")
	}
}

func numbered(n int) *Packet {
	p := &Packet{Buf: make([]byte, HeaderRoom+1), Len: 1, Seq: uint16(n)}
	p.Payload()[0] = byte(n)
	return p
}
