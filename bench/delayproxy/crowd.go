package delayproxy

import (
	"sync"
	"time"
)

// crowd counts what is there at once. Its zero value is empty.
type crowd struct {
	mu        sync.Mutex
	now, most int64
}

// enter adds one, which counts if it is still there after settle: a connection is often accepted before word comes of
// the end of the one that it follows, and the two were not open at once. Leave takes it out; it may be called again.
func (c *crowd) enter(settle time.Duration) (leave func()) {
	if settle <= 0 {
		c.add()
		return sync.OnceFunc(c.remove)
	}
	counted := time.AfterFunc(settle, c.add)
	return sync.OnceFunc(func() {
		if !counted.Stop() {
			c.remove()
		}
	})
}

func (c *crowd) add() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now++
	c.most = max(c.most, c.now)
}

func (c *crowd) remove() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now--
}

// largest is the most that were there at once.
func (c *crowd) largest() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.most
}
