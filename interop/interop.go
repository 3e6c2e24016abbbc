// Package interop holds predictions against reality: real clients connect to real servers, and what
// happens on the wire is compared with what was predicted from the client's hello and the server's policy.
//
// `make interop` prints the matrix and every disagreement.
package interop

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/negotiate"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// Pair is a client and a server, and what a predictor may know of them: the hello that the real client
// sent, what it demands beyond its hello, and either the server's configuration or its address.
type Pair struct {
	Client, Server string
	Hello          []byte // as recorded
	Accepts        hello.Rules
	Addr           string // host:port of the real server
	HostName       string // by which its users know it
	ServerName     string // that the client asked for
	CA             string // PEM of the roots
	Policy         *policy.Policy
	Identity       *policy.Identity
	Now            time.Time
	// Queue is how many connections the server lets wait, where that is few; 0: enough for a scan.
	Queue int
}

// Prediction is what a predictor says of a pair.
type Prediction struct {
	OK      bool
	Version suite.Version
	Suite   suite.Code
	Details *Details         // where OK is true; nil if not said
	Cause   cause.ID         // where OK is false
	By      string           // "server" or "client": who gives up; "" if not said
	Signal  negotiate.Signal // what the server sends; zero if not said
	// Report is all that why says; nil of another predictor.
	Report *diagnose.Diagnosis
}

// Details are the finer points of a handshake.
type Details struct {
	Group  suite.Group           // 0: none, or not known
	Scheme suite.SignatureScheme // of the server's signature in TLS 1.2
	Retry  *bool                 // TLS 1.3: by a HelloRetryRequest; nil if not said
}

// Predictor foresees what a pair comes to.
type Predictor struct {
	Name    string
	Predict func(context.Context, *Pair) (Prediction, error)
}

// Decide predicts from the recorded hello and the configured policy by negotiate.Decide, and then applies
// the client's demands on the certificate.
var Decide = Predictor{"decide", decide}

func decide(_ context.Context, p *Pair) (Prediction, error) {
	h, err := hello.ParseClientHello(p.Hello)
	if err != nil {
		return Prediction{}, fmt.Errorf("hello: %w", err)
	}
	o := h.Offer()
	o.Accepts = p.Accepts
	out := negotiate.Decide(&o, p.Policy, p.Identity)
	if !out.OK {
		return refusal(&out.Reason), nil
	}
	if out.Certificate >= 0 {
		name := cmp.Or(p.ServerName, p.HostName)
		if !p.Accepts.ChecksName {
			name = ""
		}
		if l := negotiate.CheckIdentity(&o, &p.Identity.Certificates[out.Certificate], name, p.Now); len(l) > 0 {
			return refusal(&l[0]), nil
		}
	}
	return Prediction{OK: true, Version: out.Version, Suite: out.Suite, Details: &Details{out.Group, out.Scheme, &out.HelloRetry}}, nil
}

func refusal(r *negotiate.Reason) Prediction {
	return Prediction{Cause: r.Cause, By: r.By, Signal: r.Signal}
}
