package vuln

import (
	"context"
	"fmt"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/vuln/internal/classic"
)

// The malformed request of the Heartbleed check: its payload is said to be four bytes longer than the record. After a
// handshake, the four bytes that a vulnerable server adds are those that follow in the buffer which it decrypted our
// record in: of its MAC. Nobody looks at them in any case. The payload is large since OpenSSL keeps back up to 4 KiB
// of what it sends as long as a handshake lasts.
const (
	heartbeatSent    = 5000
	heartbeatClaimed = heartbeatSent + 4
)

func heartbleed(ctx context.Context, s *subject) answer {
	v, all := s.newest(anySuite)
	if v == 0 {
		return no(nil, "The endpoint speaks TLS 1.3 only: no OpenSSL with the flaw does.")
	}
	complete := true
	known, suites := s.newest(speaks)
	if known == 0 {
		known, suites, complete = v, all, false
	}
	h := s.offer(known, suites)
	h.SetExtension(hello.ExtHeartbeat, []byte{1}) // peer_allowed_to_send
	var a answer
	var unfinished error
	try := func(complete bool) error {
		return s.open(ctx, h, func(x *classic.Session) {
			// One that offers no heartbeats is asked at once, since it has none or breaks the protocol in any case.
			if _, offers := x.Server.Extension(hello.ExtHeartbeat); complete && offers {
				unfinished = x.Complete()
			}
			if unfinished == nil {
				a = overread(x)
			}
		})
	}
	err := try(complete)
	if complete && (unfinished != nil) {
		unfinished = nil
		err = try(false) // it wants a client certificate, or the like
	}
	if err != nil {
		return failed(err)
	}
	return a
}

// overread sends the malformed request, and then a message out of order, so that a server that ignores the first
// still has something to answer: silence alone would prove nothing.
func overread(x *classic.Session) answer {
	request := append([]byte{1, heartbeatClaimed >> 8, heartbeatClaimed & 0xFF}, make([]byte, heartbeatSent)...)
	x.Send(classic.RecordHeartbeat, request)
	sent := fmt.Sprintf("a heartbeat request of %d bytes that says it has %d: ", heartbeatSent, heartbeatClaimed)
	e := heartbeatAnswer(x, patienceOf(x))
	if e.Kind == classic.Silence {
		outOfOrder(x)
		e = heartbeatAnswer(x, longPatienceOf(x))
	}
	evidence := []string{sent + e.String()}
	_, offered := x.Server.Extension(hello.ExtHeartbeat)
	switch {
	case e.Kind == classic.Heartbeat && len(e.Body) >= 3+heartbeatClaimed:
		return yes([]string{sent + fmt.Sprintf("answered with %d bytes of payload", heartbeatClaimed)},
			"The server reads beyond the end of a heartbeat request and sends what it finds: its memory can be read from afar.")
	case e.Kind == classic.Heartbeat:
		return no(evidence, "The server answers heartbeats, but not with more than was sent.")
	case e.Kind == classic.Silence:
		return unsure(evidence, "The server answered neither the heartbeat request nor a message out of order.")
	case offered:
		return no(evidence, "The server offers heartbeats and ignores or refuses a request that says it is longer than it is.")
	}
	return no(evidence, "The server offers no heartbeats and answers no request.")
}

// heartbeatAnswer waits for a heartbeat, or for the end of the connection.
func heartbeatAnswer(x *classic.Session, wait time.Duration) classic.Event {
	for until := time.Now().Add(wait); ; {
		if e := x.Next(time.Until(until)); e.Kind == classic.Heartbeat || e.Kind == classic.Silence || e.Ends() {
			return e
		}
	}
}

// outOfOrder sends a message that every server refuses, during a handshake and after it.
func outOfOrder(x *classic.Session) {
	x.Send(hello.RecordHandshake, hello.Message{Type: classic.TypeFinished, Body: make([]byte, 12)}.Marshal())
}
