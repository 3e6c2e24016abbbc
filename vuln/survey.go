package vuln

import (
	"context"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// survey offers what a server should refuse, or may take, in one hello: compression, secure renegotiation, and
// encrypt-then-MAC with CBC suites where there are any.
func (s *subject) survey(ctx context.Context) (*hello.ServerHello, error) {
	return s.plain.get(func() (*hello.ServerHello, error) {
		v, suites := s.newest(func(i *suite.Suite, _ suite.Version) bool { return cbc(i) })
		if v == 0 {
			v, suites = s.newest(anySuite)
		}
		h := s.offer(v, suites)
		h.Compression = []byte{1, 64, 0} // DEFLATE and LZS (RFC 3749, RFC 3943)
		if v >= suite.TLS10 {
			h.SetExtension(hello.ExtEncryptThenMAC, nil)
		}
		o := s.ask(ctx, h)
		if !o.Accepted() {
			return nil, failure(&o)
		}
		return o.Hello, nil
	})
}

func crime(ctx context.Context, s *subject) answer {
	if v, _ := s.newest(anySuite); v == 0 {
		return no(nil, "The endpoint speaks TLS 1.3 only, which has no compression.")
	}
	h, err := s.survey(ctx)
	if err != nil {
		return failed(err)
	}
	if h.Compression != 0 {
		name := map[uint8]string{1: "DEFLATE", 64: "LZS"}[h.Compression]
		return yes([]string{h.Version.String() + ": chose " + name + " compression"},
			"TLS compression is on: the size of what is sent gives away cookies to who can have requests made.")
	}
	return no([]string{h.Version.String() + ": offered DEFLATE and LZS compression, and it chose none"}, "The endpoint compresses nothing.")
}

// lucky13 cannot be decided from afar: a server that takes the same time for every record looks like one that does not
// until some million records were timed.
func lucky13(ctx context.Context, s *subject) answer {
	c := condition{suites: cbc, yes: "CBC suites are accepted", no: "No CBC suite is accepted."}
	a := c.test(ctx, s)
	if a.verdict != Vulnerable {
		return a
	}
	a.verdict = Unsure
	a.summary = "CBC suites are accepted, and whether the server checks their records in constant time cannot be seen from afar."
	if h, err := s.survey(ctx); err == nil {
		if _, ok := h.Extension(hello.ExtEncryptThenMAC); ok {
			a.summary = "CBC suites are accepted: clients that offer encrypt-then-MAC are safe, and for others it cannot be seen from afar whether the server checks records in constant time."
			a.evidence = append(a.evidence, "it takes encrypt_then_mac")
		}
	}
	return a
}
