package render

import (
	"slices"

	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// Suites is the answer of `parley suite` (docs/schema/suite.schema.json).
type Suites struct {
	Schema  string       `json:"schema"`
	Entries []SuiteEntry `json:"entries"`
}

// SuiteEntry is what is known of a suite, a group, a signature scheme or a GREASE value; one of the last
// three fields says more, by kind.
type SuiteEntry struct {
	Kind        suite.Kind      `json:"kind"`
	Code        string          `json:"code"` // 0xC02F, 0x0700C0
	Name        string          `json:"name"` // IANA
	OpenSSL     string          `json:"openssl,omitempty"`
	GnuTLS      string          `json:"gnutls,omitempty"`
	OtherNames  []string        `json:"other_names,omitempty"`
	SharesName  []suite.Code    `json:"shares_name,omitempty"` // suites that OpenSSL calls the same
	Versions    []suite.Version `json:"versions"`
	Recommended string          `json:"recommended"`
	References  []string        `json:"references,omitempty"`
	Strength    *suite.Strength `json:"strength,omitempty"` // none for a GREASE value
	Reasons     []suite.Reason  `json:"reasons,omitempty"`
	Policies    *Holders        `json:"policies,omitempty"` // predefined policies that accept it, as family/name; of those that state such things
	Clients     *Holders        `json:"clients,omitempty"`  // known clients that offer it

	Suite  *SuiteParts  `json:"suite,omitempty"`
	Group  *GroupParts  `json:"group,omitempty"`
	Scheme *SchemeParts `json:"scheme,omitempty"`

	code suite.Code
}

// Holders names those that have something, out of so many.
type Holders struct {
	Names []string `json:"names"`
	Of    int      `json:"of"`
}

// count adds name if it has the thing.
func (h *Holders) count(name string, has bool) {
	h.Of++
	if has {
		h.Names = append(h.Names, name)
	}
}

// SuiteParts are the parts of a cipher suite.
type SuiteParts struct {
	Cipher         suite.Code           `json:"cipher"`
	KeyExchange    suite.KeyExchange    `json:"key_exchange"`
	ForwardSecret  bool                 `json:"forward_secrecy"`
	Authentication suite.Authentication `json:"authentication"`
	Encryption     string               `json:"encryption"`
	Mode           string               `json:"mode"`
	Bits           int                  `json:"bits"`
	MAC            string               `json:"mac"`
	PRF            string               `json:"prf"`
	Export         bool                 `json:"export"`
	Signalling     bool                 `json:"signalling"`
}

// GroupParts are the parts of a group.
type GroupParts struct {
	Kind string `json:"kind"` // ec, ff, pq, hybrid
	Bits int    `json:"bits"`
}

// SchemeParts are the parts of a signature scheme.
type SchemeParts struct {
	Key        string `json:"key"`
	Digest     string `json:"digest"`
	Curve      string `json:"curve,omitempty"` // the one that it goes with in TLS 1.3
	ClientOnly bool   `json:"client_only"`
}

// DescribeEntry returns what a list says of e; Complete and AddClients add the rest.
func DescribeEntry(e *suite.Entry) SuiteEntry {
	d := SuiteEntry{Kind: e.Kind, Code: e.Code.String(), Name: e.Name, OpenSSL: e.OpenSSL, GnuTLS: e.GnuTLS,
		Versions: e.Versions(), Recommended: e.Recommended, References: e.References, code: e.Code}
	if a, ok := e.Assess(); ok {
		d.Strength, d.Reasons = &a.Strength, a.Reasons
	}
	switch e.Kind {
	case suite.KindSuite:
		s := e.Suite
		d.Suite = &SuiteParts{Cipher: s.Code, KeyExchange: s.KeyExchange, ForwardSecret: s.KeyExchange.ForwardSecret(), Authentication: s.Authentication,
			Encryption: s.Encryption, Mode: s.Mode, Bits: s.Bits, MAC: s.MAC, PRF: s.PRF, Export: s.Export, Signalling: s.Signalling}
	case suite.KindGroup:
		d.Group = &GroupParts{Kind: e.Group.Kind, Bits: e.Group.Bits}
	case suite.KindScheme:
		d.Scheme = &SchemeParts{Key: e.Scheme.Key, Digest: e.Scheme.Digest, ClientOnly: e.Scheme.ClientOnly}
		if e.Scheme.Curve != 0 {
			d.Scheme.Curve = e.Scheme.Curve.String()
		}
	}
	return d
}

// Complete adds to d other names of e, and which policies accept it. None says anything of signalling and GREASE
// values.
func (d *SuiteEntry) Complete(e *suite.Entry) {
	d.OtherNames = e.OtherNames()
	d.SharesName = sharesName(e)
	if signals(e) || e.Kind == suite.KindGREASE {
		return
	}
	d.Policies = &Holders{Names: []string{}}
	for _, p := range policy.All() {
		if has, stated := policyHas(p, e); stated {
			d.Policies.count(string(p.Family)+"/"+p.Name, has)
		}
	}
}

// AddClients adds which clients offer e. It is apart from Complete because reading the profiles takes longer
// than all the rest. No profile tells the signalling values.
func (d *SuiteEntry) AddClients(e *suite.Entry) {
	if signals(e) {
		return
	}
	d.Clients = &Holders{Names: []string{}}
	for _, c := range client.All() {
		d.Clients.count(c.Name, offers(c.Offer(), e))
	}
}

func signals(e *suite.Entry) bool { return e.Kind == suite.KindSuite && e.Suite.Signalling }

// sharesName finds the suites that OpenSSL calls the same: SSLv2's kinds and their successors.
func sharesName(e *suite.Entry) []suite.Code {
	var l []suite.Code
	if e.Kind != suite.KindSuite || e.OpenSSL == "" {
		return nil
	}
	for _, s := range suite.All() {
		if s.OpenSSL == e.OpenSSL && s.Code != e.Code {
			l = append(l, s.Code)
		}
	}
	return l
}

// policyHas reports whether p accepts e, and whether p says anything of things of that kind.
func policyHas(p *policy.Policy, e *suite.Entry) (has, stated bool) {
	switch e.Kind {
	case suite.KindSuite:
		return slices.Contains(p.Suites, e.Code), true
	case suite.KindGroup:
		return slices.Contains(p.Groups, e.Group.Code), len(p.Groups) > 0
	case suite.KindScheme:
		return slices.Contains(p.Schemes, e.Scheme.Code), len(p.Schemes) > 0
	}
	return false, false
}

// offers reports whether the client offers e. Which GREASE values a client sends is chance: any will do.
func offers(o *hello.Offer, e *suite.Entry) bool {
	switch e.Kind {
	case suite.KindSuite:
		return slices.Contains(o.Suites, e.Code)
	case suite.KindGroup:
		return slices.Contains(o.Groups, e.Group.Code)
	case suite.KindScheme:
		return slices.Contains(o.Schemes, e.Scheme.Code)
	}
	return o.GREASE
}
