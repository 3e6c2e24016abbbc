package simulate

import (
	"net/http"
	"path"
	"strings"
	"time"
)

// scope is what a signature was made for.
type scope struct{ key, region, service string }

// readScope reads it out of a signed request's header, or out of the address of one that was signed beforehand.
func readScope(r *http.Request) (scope, bool) {
	credential := r.URL.Query().Get("X-Amz-Credential")
	if header, ok := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 "); ok {
		for field := range strings.SplitSeq(header, ",") {
			if v, ok := strings.CutPrefix(strings.TrimSpace(field), "Credential="); ok {
				credential = v
			}
		}
	}
	parts := strings.Split(credential, "/")
	if len(parts) < 5 {
		return scope{}, false
	}
	n := len(parts)
	return scope{strings.Join(parts[:n-4], "/"), parts[n-3], parts[n-2]}, true
}

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
func (c *Cloud) admit(k *call, s *service, scope scope) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	who := c.keys[scope.key]
	token := k.request.Header.Get("X-Amz-Security-Token")
	if token == "" {
		token = k.request.URL.Query().Get("X-Amz-Security-Token")
	}
	switch {
	case who == nil || who.token != token:
		return s.dialect.unknownKey()
	case !who.expires.IsZero() && c.now().After(who.expires):
		return s.dialect.expired()
	}
	k.who = who
	k.region = who.account.regions[scope.region]
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
