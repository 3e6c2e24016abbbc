package elbapi

import (
	"slices"
	"sync"
	"time"
)

// maxEntries bounds what a log keeps; the counts go on.
const maxEntries = 100_000

// Entry is one call in the log.
type Entry struct {
	Time    time.Time     `json:"time"`
	Took    time.Duration `json:"took"`
	ID      string        `json:"request_id"`
	Account string        `json:"account,omitempty"` // empty where the signature was refused
	Region  string        `json:"region,omitempty"`
	Service string        `json:"service,omitempty"`
	Action  string        `json:"action,omitempty"`
	Status  int           `json:"status"`
	Code    string        `json:"code,omitempty"` // of an error
}

// Log keeps the last calls and counts all of them.
type Log struct {
	mu      sync.Mutex
	entries []Entry
	next    int // where the oldest entry is once the log is full
	counts  map[Kind]*count
}

// Kind is what calls are counted by.
type Kind struct{ Region, Action string }

type count struct {
	calls, refused int
	second         int64
	inSecond, peak int
}

func (l *Log) add(e Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.entries) < maxEntries {
		l.entries = append(l.entries, e)
	} else {
		l.entries[l.next] = e
		l.next = (l.next + 1) % maxEntries
	}
	if l.counts == nil {
		l.counts = make(map[Kind]*count)
	}
	// Names that no API has are counted together, so that nobody can fill the memory with them.
	k := Kind{e.Region, e.Action}
	if e.Code == "InvalidAction" || e.Account == "" {
		k = Kind{}
	}
	kinds := []Kind{k, {Region: k.Region}, {Action: k.Action}, {}}
	for i, k := range kinds {
		if !slices.Contains(kinds[:i], k) {
			l.count(k, e)
		}
	}
}

func (l *Log) count(k Kind, e Entry) {
	c := l.counts[k]
	if c == nil {
		c = &count{}
		l.counts[k] = c
	}
	c.calls++
	if e.Status >= 400 {
		c.refused++
	}
	if s := e.Time.Unix(); s != c.second {
		c.second, c.inSecond = s, 0
	}
	c.inSecond++
	c.peak = max(c.peak, c.inSecond)
}

// Calls is how many calls of a kind came; an empty region or action counts all.
func (l *Log) Calls(k Kind) int { return l.of(k).calls }

// Refused is how many of them were answered with an error.
func (l *Log) Refused(k Kind) int { return l.of(k).refused }

// Peak is how many of them came in the busiest second of the clock.
func (l *Log) Peak(k Kind) int { return l.of(k).peak }

func (l *Log) of(k Kind) count {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.counts[k]; c != nil {
		return *c
	}
	return count{}
}

// Entries are the last calls, oldest first.
func (l *Log) Entries() []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append(append([]Entry{}, l.entries[l.next:]...), l.entries[:l.next]...)
}

// Reset forgets everything.
func (l *Log) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries, l.next, l.counts = nil, 0, nil
}
