package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/parley-tls/parley/probe"
)

// progress keeps one line on a terminal up to date with what is being tried. Where standard error is no terminal it
// prints nothing.
type progress struct {
	w       io.Writer
	visible bool
	done    chan struct{}
	stopped sync.WaitGroup

	mu        sync.Mutex
	total     int // targets so far; a file is read as the scan goes
	finished  int
	running   []*attempt // in the order in which they began
	displayed bool
}

// attempt is one target under way.
type attempt struct {
	name, stage string
	prober      *probe.Prober
}

// refresh is how often the line is written anew.
const refresh = 200 * time.Millisecond

func newProgress(w io.Writer) *progress {
	p := &progress{w: w, done: make(chan struct{})}
	if f, ok := w.(*os.File); ok {
		st, err := f.Stat()
		p.visible = err == nil && st.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
	}
	if p.visible {
		p.stopped.Go(p.loop)
	}
	return p
}

func (p *progress) loop() {
	tick := time.NewTicker(refresh)
	defer tick.Stop()
	for {
		select {
		case <-p.done:
			p.pause(func() {})
			return
		case <-tick.C:
			p.mu.Lock()
			p.show()
			p.mu.Unlock()
		}
	}
}

// stop removes the line for good.
func (p *progress) stop() {
	close(p.done)
	p.stopped.Wait()
}

// pause removes the line while something is printed.
func (p *progress) pause(print func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.displayed {
		io.WriteString(p.w, "\r\x1b[K")
		p.displayed = false
	}
	print()
}

func (p *progress) queued() {
	p.mu.Lock()
	p.total++
	p.mu.Unlock()
}

// begin notes that a target is being scanned, and returns what takes the names of the stages.
func (p *progress) begin(name string, prober *probe.Prober) func(stage string) {
	a := &attempt{name: name, prober: prober}
	p.mu.Lock()
	p.running = append(p.running, a)
	p.mu.Unlock()
	return func(stage string) {
		p.mu.Lock()
		a.stage = stage
		p.mu.Unlock()
	}
}

// end notes that a target of this name is done.
func (p *progress) end(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finished++
	for i, a := range p.running {
		if a.name == name {
			p.running = append(p.running[:i], p.running[i+1:]...)
			return
		}
	}
}

// show writes the line: how many are done, and what the oldest of those under way is at.
func (p *progress) show() {
	if len(p.running) == 0 {
		return
	}
	a := p.running[0]
	line := fmt.Sprintf("%d of %d done; %s: %s, %d connections", p.finished, p.total, a.name, a.stage, a.prober.Connections())
	if n := len(p.running) - 1; n > 0 {
		line += fmt.Sprintf("; %d more under way", n)
	}
	const width = 79
	if r := []rune(line); len(r) > width {
		line = string(r[:width])
	}
	fmt.Fprint(p.w, "\r"+strings.ToValidUTF8(line, "?")+"\x1b[K")
	p.displayed = true
}
