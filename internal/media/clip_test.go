package media

import (
	"bytes"
	"testing"
	"weak"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/codec"
	"github.com/offhook/offhook/internal/media/file"
)

func newClips() *clips {
	return &clips{pool: new(codec.Pool), kept: make(map[clipKey]*clip)}
}

func contentOf(pcm *file.PCM) content {
	return content{core.Sound{Kind: core.SoundMusic, Name: "a.mp3"}, weak.Make(pcm)}
}

// All listeners of a sound share its packets; each codec and each version of a
// file has its own.
func TestListenersShareEncodings(t *testing.T) {
	c := newClips()
	old, changed := &file.PCM{Rate: 16000, Samples: make([]int16, 16000)}, &file.PCM{Rate: 16000, Samples: make([]int16, 16000)}
	open := func(pcm *file.PCM, f Format) *clip {
		t.Helper()
		made, err := c.open(contentOf(pcm), f)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	first := open(old, Format{Codec: PCMU, PTime: 20, SendType: 0})
	if open(old, Format{Codec: PCMU, PTime: 20, SendType: 100}) != first {
		t.Error("two listeners with the same codec do not share it")
	}
	for name, other := range map[string]*clip{
		"codec": open(old, Format{Codec: PCMA, PTime: 20}), "packet length": open(old, Format{Codec: PCMU, PTime: 30}),
		"version": open(changed, Format{Codec: PCMU, PTime: 20}),
	} {
		if other == first {
			t.Errorf("another %s shares it", name)
		}
	}
	for n := range 100 { // two rounds
		one, ok := c.payload(first, n)
		if !ok || len(one) != 160 {
			t.Fatalf("packet %d: %d bytes, %v", n, len(one), ok)
		}
		if again, _ := c.payload(first, n%50); !bytes.Equal(one, again) || &one[0] != &again[0] {
			t.Fatalf("packet %d was encoded twice", n)
		}
	}
	c.finish(first, PCMU)
	if n := testing.AllocsPerRun(100, func() { c.payload(first, 77) }); n > 0 || first.enc != nil {
		t.Errorf("a complete sound allocates %v times, its encoder is %v", n, first.enc)
	}
	if want := 50 * 160; c.bytes != want {
		t.Errorf("%d bytes are kept, want %d", c.bytes, want)
	}
}

func TestEncodedSoundsAreBounded(t *testing.T) {
	c := newClips()
	f := Format{Codec: PCMU, PTime: 20}
	pcm := &file.PCM{Rate: 8000, Samples: make([]int16, 8000)}
	first, err := c.open(contentOf(pcm), f)
	if err != nil {
		t.Fatal(err)
	}
	c.bytes = maxClipBytes
	other := &file.PCM{Rate: 8000, Samples: make([]int16, 8000)}
	if _, err := c.open(contentOf(other), f); err != nil || len(c.kept) != 1 || c.bytes != 0 {
		t.Errorf("%d are kept with %d bytes, %v", len(c.kept), c.bytes, err)
	}
	if payload, ok := c.payload(first, 10); !ok || len(payload) != 160 {
		t.Error("who plays one that was dropped does not hear it any more")
	}
}

// A sound that is injected into silence is played in packets that all share, not by the
// mixer for each listener.
func TestInjectedIntoSilenceNeedsNoMix(t *testing.T) {
	s := NewServer(Config{})
	defer s.Close()
	music := core.Sound{Kind: core.SoundHold, Level: -6}
	for _, leg := range []core.LegID{"a", "b"} {
		s.Attach(leg, &deaf{format: Format{Codec: PCMU, PTime: 20}})
		s.Do(core.Hear{Leg: leg, Over: [core.InjectSlots]core.Sound{music}})
		if m := s.legs[leg]; m.played.alone == nil || m.mixed != nil {
			t.Errorf("%s: by the player: %v, mixed: %v", leg, m.played.alone != nil, m.mixed != nil)
		}
	}
}
