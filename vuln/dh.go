package vuln

import (
	"bytes"
	"context"
	"fmt"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/scan"
	"github.com/parley-tls/parley/suite"
)

// dheTries is how many key exchanges are compared.
const dheTries = 3

// weakBits is the size up to which a Diffie-Hellman prime is within reach of some (RFC 9325 section 4.5, Adrian and
// others section 4).
const weakBits = 1024

func ephemeral(i *suite.Suite, _ suite.Version) bool {
	return i.KeyExchange == suite.KXDHE && !i.Export
}

// dhe makes several key exchanges by ephemeral finite-field Diffie-Hellman, one after the other.
func (s *subject) dhe(ctx context.Context) ([]*hello.ServerKeyExchange, error) {
	return s.ephemeral.get(func() ([]*hello.ServerKeyExchange, error) {
		v, suites := s.newest(ephemeral)
		var l []*hello.ServerKeyExchange
		for len(l) < dheTries {
			o := s.ask(ctx, s.offer(v, suites))
			if !o.Accepted() {
				return l, failure(&o)
			}
			if o.KeyExchange == nil || o.KeyExchange.DHBits == 0 {
				return l, errNetwork{probe.Malformed}
			}
			l = append(l, o.KeyExchange)
		}
		return l, nil
	})
}

// dheOpen is the answer to a question about DHE suites where none was accepted.
func dheOpen(s *subject, none string) answer {
	c := condition{suites: func(i *suite.Suite) bool { return i.KeyExchange == suite.KXDHE }, no: none}
	return c.test(context.Background(), s)
}

// logjam looks at the primes.
func logjam(ctx context.Context, s *subject) answer {
	c := condition{suites: exportDHE, yes: "DHE export suites are accepted: an attacker on the path can move clients to a 512-bit group and compute the secret."}
	if a := c.test(ctx, s); a.verdict == Vulnerable {
		return a
	}
	if v, _ := s.newest(ephemeral); v == 0 {
		return dheOpen(s, "No DHE suite is accepted.")
	}
	l, err := s.dhe(ctx)
	if len(l) == 0 {
		return failed(err)
	}
	k := l[0]
	name := scan.PrimeName(k.Prime)
	evidence := []string{fmt.Sprintf("DHE prime of %d bits: %s", k.DHBits, orUnknown(name))}
	switch {
	case k.DHBits < weakBits:
		return yes(evidence, "The Diffie-Hellman prime has %d bits: the secret of a session can be computed.", k.DHBits)
	case k.DHBits == weakBits && name != "":
		a := yes(evidence, "The Diffie-Hellman prime has 1024 bits and is one that many servers share (%s), so that it pays to precompute it.", name)
		a.severity = Medium
		return a
	case k.DHBits == weakBits:
		a := yes(evidence, "The Diffie-Hellman prime has 1024 bits: within reach of a state, though it is none that many servers share.")
		a.severity = Medium
		return a
	}
	return no(evidence, "DHE export suites are not accepted, and the Diffie-Hellman prime has %d bits.", k.DHBits)
}

func orUnknown(name string) string {
	if name == "" {
		return "none that is known to be shared"
	}
	return name
}

// raccoon compares what a server sends as its half of several key exchanges: the attack needs it to stay the same.
func raccoon(ctx context.Context, s *subject) answer {
	static := condition{suites: func(i *suite.Suite) bool { return i.KeyExchange == suite.KXDH },
		yes: "Suites with a static Diffie-Hellman key are accepted: the same secret enters every session, as the attack needs it."}
	if a := static.test(ctx, s); a.verdict == Vulnerable {
		return a
	}
	if v, _ := s.newest(ephemeral); v == 0 {
		return dheOpen(s, "No DHE suite is accepted.")
	}
	l, err := s.dhe(ctx)
	if len(l) < 2 {
		return failed(err)
	}
	for i := range l {
		for j := range i {
			if bytes.Equal(l[i].Public, l[j].Public) {
				return yes([]string{fmt.Sprintf("connections %d and %d of %d got the same Diffie-Hellman value", j+1, i+1, len(l))},
					"The server uses a Diffie-Hellman value in more than one session, which is what the attack needs; the timing that it measures beside that was not tested.")
			}
		}
	}
	return no([]string{fmt.Sprintf("%d connections got %d Diffie-Hellman values", len(l), len(l))}, "The server makes a new Diffie-Hellman value for each session.")
}
