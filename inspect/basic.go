package inspect

import (
	"context"
	"crypto/tls"

	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/scan"
	"github.com/parley-tls/parley/vuln"
)

// basics is what sslscan reports beside versions, suites and groups. It is asked for while the scan goes on.
type basics struct {
	certificate *tls.Certificate // of the client
	features    *scan.Basic
	checks      chan []vuln.Finding
}

// begin asks what the first answers of the scan allow to ask.
func (b *basics) begin(ctx context.Context, p *probe.Prober, r *Report, first *scan.Result) {
	b.features = scan.BeginBasic(ctx, p, target(r), first, scan.Options{ServerName: r.Target.ServerName})
	b.checks = make(chan []vuln.Finding, 1)
	go func() { b.checks <- r.check(ctx, p, first, basicChecks[:1], b.certificate) }()
}

// add adds the answers to the report, and asks for what only the whole result shows.
func (b *basics) add(ctx context.Context, p *probe.Prober, r *Report, result *scan.Result) {
	if b.features == nil { // the scan had no first answers
		b.begin(ctx, p, r, result)
	}
	r.Features = b.features.Report(ctx, result)
	rest := basicChecks[1:]
	if r.Features.SecureRenegotiation.State == scan.No {
		rest = append(rest, "insecure-renegotiation", "client-renegotiation")
	}
	r.Vulnerabilities = append(<-b.checks, r.check(ctx, p, result, rest, b.certificate)...)
}

// basicChecks are the vulnerabilities that sslscan checks for: Heartbleed, and SSLv2 by the check for DROWN. Renegotiation
// is added where the endpoint does not know the secure one.
var basicChecks = []string{"heartbleed", "drown"}
