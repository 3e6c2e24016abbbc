package scan

import "time"

// pacing slows a scan down when connections fail: the endpoint may limit their rate or number. It knows no endpoint
// and no clock of its own.
type pacing struct {
	ever             bool          // anything was answered
	answered, failed int           // since it last slowed down
	interval         time.Duration // between connections
	pause            time.Duration // after the next failure
	next             time.Time     // no connection before
	slowed           time.Time     // connections from before tell nothing of the present pace
	quickest         time.Duration // of the connections, until they stood
}

const (
	firstPause, longestPause       = 50 * time.Millisecond, 2 * time.Second
	firstInterval, longestInterval = 10 * time.Millisecond, 500 * time.Millisecond
)

// wait returns how long to wait before the next connection, and counts it as made if that is 0.
func (p *pacing) wait(now time.Time) time.Duration {
	if d := p.next.Sub(now); d > 0 {
		return d
	}
	p.next = now.Add(p.interval)
	return 0
}

// note takes in how a connection came out by now that was made at some time: whether it was answered. It reports whether
// fewer should be open at once from now on.
func (p *pacing) note(sent, now time.Time, ok bool) (narrow bool) {
	if sent.Before(p.slowed) {
		return false
	}
	p.answered++
	p.ever = p.ever || ok
	if ok || !p.ever { // an endpoint that never answers is not one that cannot keep up
		return false
	}
	p.failed++
	p.pause = min(max(2*p.pause, firstPause), longestPause)
	p.next, p.slowed = now.Add(p.pause), now
	if often := p.failed > 1 && 8*p.failed > p.answered; often { // now and then one is lost on any network
		p.interval = min(max(2*p.interval, firstInterval), longestInterval)
		p.answered, p.failed = 0, 0
	}
	return true
}

// late takes in how long a connection took to come about, and reports whether its SYN was lost on the way: the
// endpoint's queue may be too short for as many as are opened at once. A SYN is sent again after a second (RFC 6298
// section 2).
func (p *pacing) late(connect time.Duration) bool {
	if p.quickest == 0 || connect < p.quickest {
		p.quickest = connect
	}
	return connect-p.quickest > 900*time.Millisecond
}
