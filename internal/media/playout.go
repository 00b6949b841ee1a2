package media

import "github.com/offhook/offhook/internal/media/codec"

// playout turns a speaker's packets into 20 ms frames on the mixer's clock.
type playout struct {
	track track
	next  uint16
	fifo  []int16
	empty int
	pcm   [wideRate * 120 / 1000]int16
}

func (y *playout) put(dec codec.Decoder, a *arrival, rate int) {
	verdict := y.track.judge(&a.Packet)
	if verdict == trackLate {
		return
	}
	if verdict == trackFresh {
		y.next = a.Seq
	}
	if int16(a.Seq-y.next) < 0 {
		return
	}
	for missing := int(int16(a.Seq - y.next)); missing > 0 && missing <= 3; missing-- {
		var next []byte
		if missing == 1 {
			next = a.Payload()
		}
		if dec.Conceal(y.pcm[:rate/50], next) == nil {
			y.fifo = append(y.fifo, y.pcm[:rate/50]...)
		}
	}
	y.next = a.Seq + 1
	n, err := dec.Decode(y.pcm[:], a.Payload())
	if err != nil {
		return
	}
	y.fifo = append(y.fifo, y.pcm[:n]...)
	if limit := 4 * rate / 50; len(y.fifo) > limit {
		y.fifo = y.fifo[:copy(y.fifo, y.fifo[len(y.fifo)-2*rate/50:])]
	}
}

func (y *playout) read(dec codec.Decoder, pcm []int16) bool {
	if len(y.fifo) < len(pcm) {
		if y.empty++; y.empty > 3 || !y.track.begun {
			clear(pcm)
			return false
		}
		return dec.Conceal(pcm, nil) == nil
	}
	y.empty = 0
	copy(pcm, y.fifo)
	y.fifo = y.fifo[:copy(y.fifo, y.fifo[len(pcm):])]
	return true
}
