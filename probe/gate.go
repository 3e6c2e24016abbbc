package probe

import (
	"context"
	"sync"
)

// gate bounds how many connections are open at once, and lets them in in the order in which they came. Its zero value
// is open.
type gate struct {
	mu      sync.Mutex
	limit   int // 0: not narrowed
	open    int
	waiting []chan struct{}
}

// enter returns once there is room among those that are open, or when ctx ends. The caller leaves in either case.
func (g *gate) enter(ctx context.Context, limit int) {
	g.mu.Lock()
	if g.open < g.bound(limit) && len(g.waiting) == 0 {
		g.open++
		g.mu.Unlock()
		return
	}
	turn := make(chan struct{})
	g.waiting = append(g.waiting, turn)
	g.mu.Unlock()
	select {
	case <-turn:
	case <-ctx.Done(): // what follows ends at once, so that it does not matter that there is one too many
		g.mu.Lock()
		defer g.mu.Unlock()
		for i, w := range g.waiting {
			if w == turn {
				g.waiting = append(g.waiting[:i], g.waiting[i+1:]...)
				g.open++
				break
			}
		}
	}
}

// leave makes room, and lets in whoever waits as far as there is any.
func (g *gate) leave(limit int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open--
	for len(g.waiting) > 0 && g.open < g.bound(limit) {
		close(g.waiting[0])
		g.waiting = g.waiting[1:]
		g.open++
	}
}

// narrow halves the room for those to come.
func (g *gate) narrow(limit int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.limit = max(1, g.bound(limit)/2)
}

func (g *gate) bound(limit int) int {
	if g.limit > 0 {
		return g.limit
	}
	return limit
}
