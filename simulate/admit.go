package simulate

import (
	"path"
	"strings"
	"time"

	"github.com/parley-tls/parley/elbapi/sigv4"
)

// Faults are what goes wrong on purpose.
type Faults struct {
	// Deny are actions that nobody may perform, as IAM policies name them, with * and ?: "elasticloadbalancing:Modify*".
	Deny []string
	// Throttle is how many requests are refused for each one that is let through: 2 refuses the first two, then one passes.
	Throttle int
	// Throttled restricts Throttle to these actions; none: all.
	Throttled []string

	since int // the last request that was let through
}

// SetFaults makes requests fail from now on.
func (c *Cloud) SetFaults(f Faults) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = f
}

// admit finds who sent a request and whether they may.
func (c *Cloud) admit(k *call, s *service, signature *sigv4.Signature) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	skew := sigv4.Skew
	if s.prefix == "sts" {
		skew = sigv4.LongSkew
	}
	_, _, err := sigv4.Verify(k.request, k.raw, c.now(), skew, func(id string) (sigv4.Key, bool) {
		who := c.keys[id]
		if who == nil {
			return sigv4.Key{}, false
		}
		return who.signingKey(), true
	})
	if err != nil {
		return s.dialect.badSignature(err)
	}
	who := c.keys[signature.KeyID]
	k.who = who
	k.region = who.account.regions[signature.Scope.Region]
	if k.region == nil {
		return s.dialect.unknownKey()
	}
	action := s.prefix + ":" + k.action
	if matches(c.faults.Deny, action) || matches(who.deny, action) {
		return s.dialect.denied(who, action)
	}
	if c.faults.Throttle > 0 && (len(c.faults.Throttled) == 0 || matches(c.faults.Throttled, action)) {
		if c.faults.since++; c.faults.since <= c.faults.Throttle {
			return s.dialect.throttled()
		}
		c.faults.since = 0
	}
	return nil
}

// matches reports whether an action is among the patterns of a policy, which ignore case.
func matches(patterns []string, action string) bool {
	for _, p := range patterns {
		if ok, err := path.Match(strings.ToLower(p), strings.ToLower(action)); ok && err == nil {
			return true
		}
	}
	return false
}

// stamp writes a time as AWS's JSON documents do.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// Changes counts the calls that were to change something.
func (c *Cloud) Changes() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changes
}
