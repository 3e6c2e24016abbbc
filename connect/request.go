package connect

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"slices"
	"time"

	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// Request is a connection to make.
type Request struct {
	Endpoint *diagnose.Endpoint // resolved; its ServerName is sent, "" sends none
	Name     string             // what the certificate is checked for; "" checks no name
	Versions []suite.Version    // offered, and nothing else accepted
	Suites   []suite.Code       // in order
	Groups   []suite.Group      // in order; nil: defaultGroups
	Schemes  []suite.SignatureScheme
	ALPN     []string
	// Certificate is the client's own, nil for none. It is sent whenever the endpoint asks for one.
	Certificate *tls.Certificate
	Roots       *x509.CertPool // nil: the system's
	RootsFile   string         // where Roots came from
	Verify      bool           // a chain that does not verify is a failure
	Resume      bool           // try to resume the session in one more connection
	PEM         bool           // put the certificates as PEM into the report
	Prober      *probe.Prober
	Now         time.Time
	Notes       []string // remarks on the request itself, for the report
}

// DefaultVersions are what is offered where no version is forced. SSLv3 is offered only by name.
var DefaultVersions = []suite.Version{suite.TLS13, suite.TLS12, suite.TLS11, suite.TLS10}

// defaultGroups begin with those that clients of today send key shares for.
var defaultGroups = []suite.Group{suite.X25519MLKEM768, suite.X25519, suite.Secp256r1, suite.Secp384r1, suite.Secp521r1}

// defaultSchemes are those of crypto/tls, and after them those that other clients of today offer besides.
var defaultSchemes = []suite.SignatureScheme{
	suite.RSAPSSRSAESHA256, suite.ECDSASecp256r1SHA256, suite.Ed25519, suite.RSAPSSRSAESHA384, suite.RSAPSSRSAESHA512,
	suite.RSAPKCS1SHA256, suite.RSAPKCS1SHA384, suite.RSAPKCS1SHA512, suite.ECDSASecp384r1SHA384, suite.ECDSASecp521r1SHA512,
	suite.RSAPKCS1SHA1, suite.ECDSASHA1, suite.Ed448, suite.RSAPSSPSSSHA256, suite.RSAPSSPSSSHA384, suite.RSAPSSPSSSHA512,
}

// offer is what the hello proposes. Its extensions are those of crypto/tls, so that both hellos ask alike.
func (q *Request) offer() hello.Offer {
	top := slices.Max(q.Versions)
	o := hello.Offer{
		Versions: q.Versions, Suites: q.Suites, ServerName: q.Endpoint.ServerName, ALPN: q.ALPN,
		SecureReneg: true, ExtendedMaster: true, SessionTicket: true,
		Source: hello.Source{Kind: "connect", Name: clientName},
	}
	if top < suite.TLS10 {
		return hello.Offer{Versions: q.Versions, Suites: q.Suites, SecureReneg: true, Source: o.Source} // SSLv3 has no extensions
	}
	o.Extensions = []uint16{hello.ExtRenegotiationInfo, hello.ExtStatusRequest, hello.ExtSCT}
	o.HasGroups, o.Groups, o.PointFormats = true, q.groups(), []byte{0}
	if top >= suite.TLS12 {
		o.HasSchemes, o.Schemes = true, q.schemes()
	}
	if top >= suite.TLS13 {
		o.PSKModes, o.KeyShares = []byte{1}, firstShares(o.Groups)
	}
	return o
}

func (q *Request) groups() []suite.Group {
	if q.Groups != nil {
		return q.Groups
	}
	return defaultGroups
}

func (q *Request) schemes() []suite.SignatureScheme {
	if q.Schemes != nil {
		return q.Schemes
	}
	return defaultSchemes
}

// firstShares are the groups to send key shares for: the first for which one can be made, and after a hybrid
// the first classical one, as crypto/tls does. None is a valid hello too: the server then asks for a share
// by a HelloRetryRequest.
func firstShares(groups []suite.Group) []suite.Group {
	var l []suite.Group
	for _, g := range groups {
		i := suite.GroupByCode(g)
		if i == nil || !i.TLS13 || len(l) == 1 && i.Kind == "hybrid" || !shareable(g) {
			continue
		}
		if l = append(l, g); i.Kind != "hybrid" {
			break
		}
	}
	return l
}

// shareable reports whether a key share for a group can be made here.
func shareable(g suite.Group) bool {
	o := hello.Offer{Versions: []suite.Version{suite.TLS13}, Suites: []suite.Code{0x1301}, HasGroups: true, Groups: []suite.Group{g}, KeyShares: []suite.Group{g}}
	_, err := hello.Build(&o, rand.Reader)
	return err == nil
}
