package sdp

import (
	"strconv"
	"strings"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/codec"
)

// Bounds of what an Opus encoder can be told (RFC 7587 section 6.1).
const (
	leastBitRate  = 6000
	leastPlayback = 8000
	fullPlayback  = 48000
)

// wishes reads what the author of p says of its decoder.
func (p payload) wishes() codec.Wishes {
	if p.codec != media.Opus {
		return codec.Wishes{}
	}
	w := codec.Wishes{NoCopies: true} // useinbandfec is 0 unless it is said
	for param := range strings.SplitSeq(p.fmtp, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		value = strings.TrimSpace(value)
		n, err := strconv.ParseUint(value, 10, 31)
		if err != nil {
			continue
		}
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "maxaveragebitrate":
			w.BitRate = max(int(n), leastBitRate)
		case "maxplaybackrate":
			if n < fullPlayback {
				w.Band = max(int(n), leastPlayback)
			}
		case "cbr":
			w.Constant = n == 1
		case "usedtx":
			w.Silence = n == 1
		case "useinbandfec":
			w.NoCopies = n != 1
		}
	}
	return w
}
