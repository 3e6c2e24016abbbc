package scan

import (
	"context"

	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// Basic is the learning of what sslscan tells of an endpoint: fallback, secure renegotiation and compression, with what
// the same answers show besides.
type Basic struct {
	f     *features
	ended chan struct{}
}

// BeginBasic begins with what Options.Told gives, so that it need not wait for the end of the scan. It makes two connections,
// or a few more where a question is refused.
func BeginBasic(ctx context.Context, p *probe.Prober, t probe.Target, first *Result, opt Options) *Basic {
	f := &features{p: p, t: t, r: first, name: opt.ServerName, report: &FeatureReport{}}
	b := &Basic{f, make(chan struct{})}
	go func() {
		defer close(b.ended)
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
	}()
	return b
}

// Report waits for the answers; r is what Full returned. Features that a basic scan leaves out say that they were not
// asked for.
func (b *Basic) Report(ctx context.Context, r *Result) *FeatureReport {
	<-b.ended
	b.f.r = r
	b.f.concludeBasic(ctx)
	return b.f.report
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
	if cbc := f.suitesWith(f.classic, func(s *suite.Suite) bool { return s.Mode == "CBC" }); len(cbc) > 0 && r.EncryptThenMAC.State == NotApplicable {
		r.EncryptThenMAC = Feature{NotTested, why} // they were not known yet when it was to be asked
	}
	if ctx.Err() != nil {
		why = "the scan was ended"
	}
	for _, x := range r.all() {
		if x.State == "" {
			*x = Feature{NotTested, why}
		}
	}
}
