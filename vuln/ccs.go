package vuln

import (
	"context"
	"errors"

	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/vuln/internal/classic"
)

// earlyChangeCipherSpec sends a ChangeCipherSpec where a ClientKeyExchange is due, and goes on under the keys that a
// server with the flaw then makes: those of a master secret that is still empty, which everybody knows. If the
// handshake completes, an attacker on the path who does the same to both sides reads all that follows.
func earlyChangeCipherSpec(ctx context.Context, s *subject) answer {
	v, suites := s.newest(speaks)
	if v == 0 {
		return s.cannotComplete("The endpoint speaks TLS 1.3 only, which has no ChangeCipherSpec to act on.")
	}
	const sent = "a ChangeCipherSpec before the key exchange: "
	var unfinished classic.Unfinished
	for _, c := range s.credentials() {
		var end error
		err := s.open(ctx, s.offer(v, suites), func(x *classic.Session) {
			x.Certificate = c
			end = x.CompleteEarly()
		})
		if err != nil {
			return failed(err)
		}
		switch {
		case end == nil:
			return yes([]string{sent + "the handshake completed, under the keys of an empty master secret"},
				"The server takes a ChangeCipherSpec before the key exchange and makes keys that everybody knows: an attacker on the path can read and change the traffic of clients with the same flaw.")
		case !errors.As(end, &unfinished):
			return failed(end)
		case unfinished.Event.Kind == classic.Silence:
			return unsure([]string{sent + "silence"}, "The server answered neither yes nor no to a ChangeCipherSpec before the key exchange.")
		}
		if !unfinished.ClientAuth || unfinished.Event.Alert == suite.AlertUnexpectedMessage {
			break
		}
	}
	evidence := []string{sent + unfinished.Event.String()}
	if unfinished.Event.Alert != suite.AlertUnexpectedMessage && !s.admits(ctx, v, suites) {
		return unsure(evidence, "The server asks for a client certificate, and what it refused need not be the ChangeCipherSpec before the key exchange.")
	}
	return no(evidence, "The server completes no handshake with a ChangeCipherSpec before the key exchange.")
}
