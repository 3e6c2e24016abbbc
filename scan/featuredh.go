package scan

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/scan/handshake"
	"github.com/parley-tls/parley/suite"
)

// askDH asks twice for a suite with finite-field Diffie-Hellman where the scan has not met it as often: the first
// answer shows the prime, both show whether the server's half is made anew.
func (f *features) askDH() []experiment {
	seen := 0
	f.replies(func(o *probe.Observation) {
		if o.KeyExchange != nil && len(o.KeyExchange.Prime) > 0 {
			seen++
		}
	})
	for _, v := range slices.Backward(suite.Versions) {
		ephemeral := slices.DeleteFunc(f.accepted(v), func(c suite.Code) bool { return suite.ByCode(c).KeyExchange != suite.KXDHE })
		if v >= suite.TLS13 || len(ephemeral) == 0 {
			continue
		}
		o := f.offer(v)
		o.Suites = ephemeral
		var l []experiment
		for range 2 - min(seen, 2) {
			l = append(l, ask(func(*handshake.Result) {}, inquiry(o)))
		}
		return l
	}
	return nil
}

// askHybrid asks twice for a post-quantum hybrid, where one is accepted: no other question has such a share.
func (f *features) askHybrid() []experiment {
	hybrids := slices.DeleteFunc(f.groups(suite.TLS13), func(g suite.Group) bool { return suite.GroupByCode(g).Kind != "hybrid" })
	if f.newest != suite.TLS13 || len(hybrids) == 0 {
		return nil
	}
	o := f.offer(suite.TLS13)
	o.Groups, o.KeyShares = hybrids[:1], hybrids[:1]
	var l []experiment
	for range 2 {
		l = append(l, ask(func(*handshake.Result) {}, inquiry(o)))
	}
	return l
}

// accepted lists all accepted suites of a version.
func (f *features) accepted(v suite.Version) []suite.Code {
	for _, x := range f.r.Versions {
		if x.Version == v {
			return slices.Clone(x.Suites)
		}
	}
	return nil
}

// Bounds on what is computed of primes: an endpoint can send what it likes.
const (
	maxPrimesChecked = 4
	maxPrimeChecked  = 4096 // bits
)

// concludeDH lists the primes that were met.
func (f *features) concludeDH() {
	f.report.DiffieHellman = []DHReport{}
	at := make(map[string]int)
	checked := 0
	f.replies(func(o *probe.Observation) {
		k := o.KeyExchange
		if k == nil || len(k.Prime) == 0 {
			return
		}
		key := string(k.Prime) + "/" + string(k.Generator)
		if i, ok := at[key]; ok {
			f.report.DiffieHellman[i].Seen++
			return
		}
		at[key] = len(f.report.DiffieHellman)
		d := DHReport{Bits: k.DHBits, Prime: hex.EncodeToString(k.Prime), Generator: hex.EncodeToString(k.Generator), Known: PrimeName(k.Prime), Seen: 1, Safe: NotTested}
		if checked++; k.DHBits <= maxPrimeChecked && checked <= maxPrimesChecked || d.Known != "" {
			d.Safe, d.Composite = checkPrime(k.Prime, d.Known)
		}
		f.report.DiffieHellman = append(f.report.DiffieHellman, d)
	})
}

// checkPrime tells a safe prime, another prime and a composite number. Those of the standards are known.
func checkPrime(prime []byte, known string) (safe State, composite bool) {
	for _, standard := range []string{"RFC 2409", "RFC 3526", "ffdhe"} {
		if strings.HasPrefix(known, standard) {
			return Yes, false
		}
	}
	p := new(big.Int).SetBytes(prime)
	switch half := new(big.Int).Rsh(p, 1); {
	case !p.ProbablyPrime(1):
		return No, true
	case !half.ProbablyPrime(1):
		return No, false
	}
	return Yes, false
}

// concludeKeyShares compares the server's halves of all key exchanges.
func (f *features) concludeKeyShares() {
	r := &f.report.KeyShareReuse
	ecdhe, dhe, hybrid := shares{}, shares{}, shares{}
	f.replies(func(o *probe.Observation) {
		switch k := o.KeyExchange; {
		case o.Version == suite.TLS13:
			if part := classicalPart(o.Hello); suite.GroupByCode(o.Group) != nil && suite.GroupByCode(o.Group).Kind == "hybrid" {
				hybrid.add(o.Group.String(), part)
			} else {
				ecdhe.add(o.Group.String(), part)
			}
		case k == nil || len(k.Public) == 0:
		case len(k.Prime) > 0:
			dhe.add(string(k.Prime), k.Public)
		default:
			ecdhe.add(k.Group.String(), k.Public)
		}
	})
	r.ECDHE, r.DHE, r.Hybrid = ecdhe.report(), dhe.report(), hybrid.report()
}

// classicalPart is the server's elliptic-curve share: in a hybrid the other part, a ciphertext for the client's key,
// is new each time (draft-ietf-tls-ecdhe-mlkem section 4.1).
func classicalPart(h *hello.ServerHello) []byte {
	share := h.KeyShare
	sizes := map[suite.Group]int{suite.X25519MLKEM768: 32, suite.SecP256r1MLKEM768: 65, suite.SecP384r1MLKEM1024: 97}
	n, hybrid := sizes[h.Group]
	switch {
	case !hybrid || len(share) < n:
		return share
	case h.Group == suite.X25519MLKEM768:
		return share[len(share)-n:]
	}
	return share[:n]
}

// shares counts public values by group.
type shares map[string][]string

func (s shares) add(group string, public []byte) {
	if len(public) > 0 {
		s[group] = append(s[group], string(public))
	}
}

// report counts those of groups that were met twice at least.
func (s shares) report() ReuseReport {
	var r ReuseReport
	var reused []string
	for group, l := range s {
		if len(l) < 2 {
			continue
		}
		distinct := make(map[string]bool)
		for _, p := range l {
			distinct[p] = true
		}
		r.Compared += len(l)
		r.Distinct += len(distinct)
		if len(distinct) < len(l) && len(group) < 32 { // the name of a group, not a prime
			reused = append(reused, group)
		}
	}
	switch {
	case len(s) == 0:
		r.Feature = notApplicable("it was not met")
	case r.Compared == 0:
		r.Feature = Feature{NotTested, "it was met once only"}
	default:
		r.Feature = yesNo(r.Distinct < r.Compared)
		if slices.Sort(reused); len(reused) > 0 {
			r.Why = fmt.Sprintf("on %s", strings.Join(reused, ", "))
		}
	}
	return r
}
