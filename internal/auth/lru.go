package auth

import "container/list"

// lru is a map of bounded size that forgets what was not used for longest. It
// is not safe for concurrent use.
type lru[K comparable, V any] struct {
	size  int
	items map[K]*list.Element // of *lruItem
	order *list.List          // most recent first
}

type lruItem[K comparable, V any] struct {
	key   K
	value V
}

func newLRU[K comparable, V any](size int) *lru[K, V] {
	return &lru[K, V]{size: size, items: make(map[K]*list.Element), order: list.New()}
}

// get returns the value of key, or nil. The pointer may be written through
// until the next call.
func (c *lru[K, V]) get(key K) *V {
	e, ok := c.items[key]
	if !ok {
		return nil
	}
	c.order.MoveToFront(e)
	return &c.item(e).value
}

// put sets the value of key and forgets the oldest key if there are too many.
func (c *lru[K, V]) put(key K, value V) {
	if v := c.get(key); v != nil {
		*v = value
		return
	}
	c.items[key] = c.order.PushFront(&lruItem[K, V]{key, value})
	if c.order.Len() > c.size {
		oldest := c.order.Back()
		c.order.Remove(oldest)
		delete(c.items, c.item(oldest).key)
	}
}

func (c *lru[K, V]) item(e *list.Element) *lruItem[K, V] {
	return e.Value.(*lruItem[K, V]) //nolint:forcetypeassert // put stores nothing else
}
