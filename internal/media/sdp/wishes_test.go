package sdp

import (
	"testing"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/codec"
)

func TestOpusWishes(t *testing.T) {
	for fmtp, want := range map[string]codec.Wishes{
		"":               {NoCopies: true},
		"useinbandfec=1": {},
		"minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1":                {},
		"maxplaybackrate=16000; maxaveragebitrate=20000; stereo=0; cbr=1":   {BitRate: 20000, Band: 16000, Constant: true, NoCopies: true},
		"MaxAverageBitrate=510000;maxplaybackrate=48000;UseInbandFEC = 1":   {BitRate: 510000},
		"maxaveragebitrate=1;maxplaybackrate=1;usedtx=1;useinbandfec=1":     {BitRate: 6000, Band: 8000, Silence: true},
		"maxaveragebitrate=x;maxplaybackrate=-1;cbr=;usedtx;;useinbandfec=": {NoCopies: true},
		"useinbandfec=1;usedtx=0;cbr=0":                                     {},
	} {
		description := head("m=audio 4000 RTP/AVP 96", "a=rtpmap:96 opus/48000/2", "a=fmtp:96 "+fmtp)
		o, err := ParseOffer(description)
		if err != nil {
			t.Fatal(err)
		}
		if _, r, err := o.Answer(local, prefer); err != nil || r.Format.Wishes != want {
			t.Errorf("%q offered: %+v, %v; want %+v", fmtp, r.Format.Wishes, err, want)
		}
		if r, err := ParseAnswer(NewOffer(local, []media.Codec{media.Opus}), description); err != nil || r.Format.Wishes != want {
			t.Errorf("%q answered: %+v, %v; want %+v", fmtp, r.Format.Wishes, err, want)
		}
	}
}
