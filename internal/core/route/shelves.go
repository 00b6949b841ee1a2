package route

import "maps"

// shelves is a map in parts. A snapshot that differs from another by one entry shares
// all parts with it but one, so that it costs no copy of everything. The zero value is
// empty.
type shelves[K comparable, V any] struct {
	parts [shelfCount]map[K]V
}

// shelfCount makes a part of ten thousand entries some forty.
const shelfCount = 256

// shelf returns the part for a text, by FNV-1a folded to eight bits.
func shelf(text string) int {
	hash := uint32(2166136261)
	for i := range len(text) {
		hash = (hash ^ uint32(text[i])) * 16777619
	}
	return int((hash ^ hash>>8 ^ hash>>16 ^ hash>>24) % shelfCount)
}

// get returns the entry of k, whose text chose its part.
func (s *shelves[K, V]) get(text string, k K) (V, bool) {
	v, ok := s.parts[shelf(text)][k]
	return v, ok
}

// put changes the map in place: for who builds it, before anybody else sees it.
func (s *shelves[K, V]) put(text string, k K, v V) {
	i := shelf(text)
	if s.parts[i] == nil {
		s.parts[i] = make(map[K]V)
	}
	s.parts[i][k] = v
}

// with returns a map with one more entry, or another one. s stays as it is.
func (s *shelves[K, V]) with(text string, k K, v V) *shelves[K, V] {
	next := *s
	i := shelf(text)
	next.parts[i] = maps.Clone(s.parts[i])
	next.put(text, k, v)
	return &next
}
