package vuln

import (
	"context"
	"fmt"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// fallbackSCSV comes as a client that was refused a newer version, and says so. A server that has the newer version
// refuses it for that (RFC 7507): somebody on the path must have meddled.
func fallbackSCSV(ctx context.Context, s *subject) answer {
	versions := s.versions()
	if len(versions) < 2 {
		return no(nil, "The endpoint accepts one version only: there is nothing to fall back to.")
	}
	newer, v := versions[0], versions[1]
	o := s.ask(ctx, s.build(&hello.Offer{Versions: []suite.Version{v}, Suites: s.suites(v), SecureReneg: true, FallbackSCSV: true}))
	switch {
	case o.Answer == probe.Alerted && o.Alert == suite.AlertInappropriateFallback:
		return no([]string{fmt.Sprintf("%s with TLS_FALLBACK_SCSV: alert %s", v, o.Alert)}, "The server refuses a fallback to %s, since it has %s.", v, newer)
	case o.Answer.Refusal():
		return no([]string{fmt.Sprintf("%s with TLS_FALLBACK_SCSV: %s", v, failure(&o))}, "The server refuses a fallback to %s, if not with the alert that is meant for it.", v)
	case !o.Accepted():
		return failed(failure(&o))
	}
	evidence := []string{fmt.Sprintf("%s with TLS_FALLBACK_SCSV: accepted, though the server has %s", v, newer)}
	if o.Hello.Downgraded() {
		evidence = append(evidence, "its random carries the mark by which clients of TLS 1.3 notice a downgrade")
		if versions[len(versions)-1] == suite.TLS12 {
			return no(evidence, "The server ignores TLS_FALLBACK_SCSV, but marks its random, so that clients of TLS 1.3 notice a downgrade to TLS 1.2.")
		}
	}
	return yes(evidence, "The server ignores TLS_FALLBACK_SCSV: clients that try older versions after a failure can be moved to them by an attacker on the path.")
}
