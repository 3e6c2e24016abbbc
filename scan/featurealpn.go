package scan

import (
	_ "embed"
	"slices"
	"strings"
	"sync"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/scan/handshake"
	"github.com/parley-tls/parley/suite"
)

//go:embed alpn.txt
var alpnText string

// applicationProtocols lists the protocols to ask for.
var applicationProtocols = sync.OnceValue(func() []string {
	var l []string
	for line := range strings.Lines(alpnText) {
		if name, _, ok := strings.Cut(line, "\t"); ok {
			l = append(l, name)
		}
	}
	return l
})

// acmeTLS is asked for by itself: a server that offers it answers challenges, and takes a hello with it among others
// for a challenge (RFC 8737 section 3).
const acmeTLS = "acme-tls/1"

// askALPN learns the list in the newest version that can be read.
func (f *features) askALPN() []experiment {
	r := &f.report.ALPN
	if f.newest < suite.TLS10 {
		r.Feature = f.lacking("no version with extensions is accepted")
		if f.newest == 0 && f.why13 != "" {
			r.Feature = f.without13()
		}
		return nil
	}
	r.Version = &f.newest
	build := func(protocols []string) hello.Offer {
		o := f.offer(f.newest)
		o.ALPN = protocols
		return o
	}
	protocols := slices.DeleteFunc(slices.Clone(applicationProtocols()), func(p string) bool { return p == acmeTLS })
	f.alpn = &listing[string]{extra: stapled, line: &line[string]{
		pref: newPreference(protocols), guess: []string{"h2", "http/1.1", "http/1.0", "http/0.9"}, eager: true, kind: kindOfProtocol, build: build,
		read: func(o *probe.Observation) (string, bool) { return o.ALPN, o.Answer.Accepted() && o.ALPN != "" },
	}}
	return []experiment{f.alpn, ask(func(a *handshake.Result) { f.acme = taken(a) && a.ALPN == acmeTLS }, inquiry(build([]string{acmeTLS})))}
}

// kindOfProtocol puts protocols together that one service has, or none.
func kindOfProtocol(p string) string {
	switch name, _, _ := strings.Cut(p, "/"); name {
	case "h2", "http", "spdy", "grpc-exp":
		return "web"
	case "imap", "pop3", "managesieve", "nntp", "nnsp":
		return "mail"
	case "stun.turn", "stun.nat-discovery", "webrtc", "c-webrtc":
		return "media"
	default:
		return name
	}
}

// concludeALPN reads the list.
func (f *features) concludeALPN() {
	if f.alpn == nil {
		return
	}
	r := &f.report.ALPN
	r.Protocols, r.Order, _ = f.alpn.result()
	if f.acme {
		r.Protocols = append(r.Protocols, acmeTLS)
	}
	if len(r.Protocols) < 2 {
		r.Order = ""
	}
	for _, q := range f.alpn.unsure {
		for _, p := range shared(f.alpn.pref.open(), q.list) {
			r.Unsure = with(r.Unsure, p)
		}
	}
	r.Feature = yesNo(len(r.Protocols) > 0)
	last := f.alpn.last
	switch {
	case last == nil && r.State == No:
		r.Feature = Feature{NotTested, "no question was answered"}
	case last == nil:
	case last.Answer == probe.Alerted:
		r.NoOverlap, r.Alert = NoOverlapAlert, &last.Alert
	case last.Answer == probe.Closed:
		r.NoOverlap = NoOverlapClose
	default:
		r.NoOverlap = NoOverlapIgnored
	}
	if r.State == No && last != nil && last.Answer != probe.ServerHello {
		// It refuses all protocols: it has some that are not in the list, or cannot do with the extension.
		r.Feature = Feature{NotTested, "every offer of known protocols is refused"}
	}
}
