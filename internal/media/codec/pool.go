package codec

import "sync"

// Pool keeps encoders and decoders that are not in use: one of Opus is 200 to 400
// KB and takes longer to make than many packets. The zero value is ready; it is
// safe for concurrent use.
type Pool struct{ encoders, decoders sync.Map } // of *sync.Pool by pooled

type pooled struct {
	kind Kind
	rate int
}

// Encoder is NewEncoder, out of the pool if one is there.
func (p *Pool) Encoder(k Kind, rate int) (Encoder, error) {
	if e, ok := shelf(&p.encoders, k, rate).Get().(Encoder); ok {
		return e, nil
	}
	return NewEncoder(k, rate)
}

// Decoder is NewDecoder, out of the pool if one is there.
func (p *Pool) Decoder(k Kind, rate int) (Decoder, error) {
	if d, ok := shelf(&p.decoders, k, rate).Get().(Decoder); ok {
		return d, nil
	}
	return NewDecoder(k, rate)
}

// PutEncoder gives back an encoder of k at rate, which may be nil. The caller must
// not use it any more.
func (p *Pool) PutEncoder(k Kind, rate int, e Encoder) {
	if e != nil {
		e.Reset()
		shelf(&p.encoders, k, rate).Put(e)
	}
}

// PutDecoder gives back a decoder of k at rate, which may be nil. The caller must
// not use it any more.
func (p *Pool) PutDecoder(k Kind, rate int, d Decoder) {
	if d != nil {
		d.Reset()
		shelf(&p.decoders, k, rate).Put(d)
	}
}

func shelf(m *sync.Map, k Kind, rate int) *sync.Pool {
	key := pooled{k, rate}
	if s, ok := m.Load(key); ok {
		return s.(*sync.Pool) //nolint:forcetypeassert // the map holds nothing else
	}
	s, _ := m.LoadOrStore(key, new(sync.Pool))
	return s.(*sync.Pool) //nolint:forcetypeassert // the map holds nothing else
}
