package media

import "github.com/offhook/offhook/internal/media/codec"

// coding is how a listener wants a voice coded.
type coding struct {
	codec  Codec
	wishes codec.Wishes
}

func (f Format) coding() coding { return coding{f.Codec, f.Wishes} }

// shared is the coding of packets that several listeners get: they have no copies, which
// are for one who loses some.
func (c coding) shared() coding {
	c.wishes.NoCopies = false
	return c
}

// encoder takes an encoder at rate out of pool.
func (c coding) encoder(pool *codec.Pool, rate int) (codec.Encoder, error) {
	enc, err := pool.Encoder(c.codec, rate)
	if w, ok := enc.(codec.Wishful); ok && c.wishes != (codec.Wishes{}) {
		w.Heed(c.wishes)
	}
	return enc, err
}
