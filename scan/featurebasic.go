package scan

import (
	"context"

	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// BasicFeatures learns of an endpoint what sslscan tells: fallback, secure renegotiation and compression, with what the
// same answers show besides. It makes two connections, or a few more where a question is refused; r is what Full
// returned. All other features of the report say that they were not asked for.
func BasicFeatures(ctx context.Context, p *probe.Prober, t probe.Target, r *Result, opt Options) *FeatureReport {
	connections := p.Connections()
	f := &features{p: p, t: t, r: r, name: opt.ServerName, report: &FeatureReport{}}
	f.survey()
	todo := f.askFallback()
	switch {
	case f.classic >= suite.TLS10:
		todo = append(todo, ask(f.readExtensions, f.extensionQuestions()...))
	case f.classic == suite.SSLv3:
		f.noExtensions()
		todo = append(todo, f.askCompressionSSLv3())
	default:
		f.noExtensions()
	}
	f.run(ctx, todo)
	f.concludeBasic(ctx)
	f.report.Connections = p.Connections() - connections
	return f.report
}

// concludeBasic reads the answers, and says of the rest that nobody asked.
func (f *features) concludeBasic(ctx context.Context) {
	f.concludeHellos()
	f.concludeDH()
	f.concludeSchemes()
	f.collectChains()
	r := f.report
	r.CertificateTransparency = TransparencyReport{Certificate: []SCT{}, Extension: []SCT{}, OCSP: []SCT{}}
	r.ServerName.Answers = []ServerNameAnswer{}
	why := "a basic scan does not ask for it"
	if ctx.Err() != nil {
		why = "the scan was ended"
	}
	for _, x := range r.all() {
		if x.State == "" {
			*x = Feature{NotTested, why}
		}
	}
}
