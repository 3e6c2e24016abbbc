package bench

import (
	"slices"
	"testing"
	"time"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// truth is what a server accepts, from how it was configured: the suites of each of its versions for which it has the
// certificate.
func truth(s *testbed.Server) acceptance {
	p := make(acceptance)
	for _, v := range s.Policy.Versions {
		for _, c := range s.Policy.SuitesFor(v) {
			if x := suite.ByCode(c); x.UsableIn(v) && certified(s.Identity, x) {
				p[accepted{v, c}] = true
			}
		}
	}
	return p
}

func certified(id *policy.Identity, s *suite.Suite) bool {
	return slices.ContainsFunc(id.Certificates, func(c policy.Certificate) bool {
		switch s.Authentication {
		case suite.AuthAny:
			return true
		case suite.AuthRSA:
			return c.KeyType == policy.RSA
		case suite.AuthECDSA:
			return c.KeyType == policy.ECDSA
		}
		return false
	})
}

// connectionBound is how many connections it takes to prove what an endpoint accepts, by leaving out of the offer what
// was chosen before: one for each accepted suite of each version; for each accepted version a refusal of the rest of
// each class of certificate that is asked for (RSA and ECDSA apart, what needs neither with one of them; one class in
// TLS 1.3, and one in SSLv3, which has no ECDSA); and one for each refused version from SSLv2 on. Groups are counted
// alike where they are asked for: one for each accepted group and a refusal, in TLS 1.3 and, where ECDHE is accepted, in
// the older versions together.
func connectionBound(s *testbed.Server) (suites, withGroups int) {
	found := truth(s)
	suites = len(found)
	for _, v := range append([]suite.Version{suite.SSLv2}, scannedVersions...) {
		switch {
		case !s.Policy.Accepts(v), v == suite.TLS13, v == suite.SSLv3:
			suites++
		default:
			suites += len([]policy.KeyType{policy.RSA, policy.ECDSA})
		}
	}
	withGroups = suites
	if s.Policy.Accepts(suite.TLS13) {
		withGroups += len(s.Policy.GroupsFor(suite.TLS13)) + 1
	}
	for p := range found {
		if suite.ByCode(p.suite).KeyExchange == suite.KXECDHE {
			return suites, withGroups + len(s.Policy.GroupsFor(suite.TLS12)) + 1
		}
	}
	return suites, withGroups
}

var scannedVersions = []suite.Version{suite.SSLv3, suite.TLS10, suite.TLS11, suite.TLS12, suite.TLS13}

// scanBounds are what a scan may take of an endpoint 50 ms away.
type scanBounds struct {
	wall        time.Duration
	connections float64 // times the bound of connections
}

const maxOpen = 16 // connections at once

// boundsFor goes by what the issue says: a policy is known where the server enforces the predefined one to the letter.
func boundsFor(asked *policy.Policy, s *testbed.Server) scanBounds {
	known := policy.ByName(asked.Name) != nil && slices.Equal(asked.Versions, s.Policy.Versions) && slices.Equal(asked.Suites, s.Policy.Suites)
	bounds := scanBounds{time.Second, 2}
	if known {
		bounds = scanBounds{300 * time.Millisecond, 1.5}
	}
	if len(s.Identity.Certificates) > 1 {
		bounds.wall = 600 * time.Millisecond
	}
	return bounds
}

// TestConnectionBound holds the bound against one that is counted by hand.
func TestConnectionBound(t *testing.T) {
	p := &policy.Policy{Versions: []suite.Version{suite.TLS12, suite.TLS13}, Suites: []suite.Code{0x1301, 0x1302, 0xC02B, 0xC02F, 0x009C}, Groups: []suite.Group{suite.X25519, suite.Secp256r1}}
	s := &testbed.Server{Policy: p, Identity: &policy.Identity{Certificates: []policy.Certificate{{KeyType: policy.RSA, Bits: 2048}}}}
	// TLS 1.3: 2 and 1 refusal; 1.2: 2 with RSA, a refusal each for RSA and ECDSA; SSLv2, SSLv3, 1.0 and 1.1 refused.
	suites, withGroups := connectionBound(s)
	if suites != 3+4+4 || withGroups != suites+3+3 {
		t.Errorf("bound %d, %d with groups", suites, withGroups)
	}
	s.Identity.Certificates = append(s.Identity.Certificates, policy.Certificate{KeyType: policy.ECDSA, Bits: 256})
	if suites, _ := connectionBound(s); suites != 3+5+4 {
		t.Errorf("bound %d with two certificates", suites)
	}
}
