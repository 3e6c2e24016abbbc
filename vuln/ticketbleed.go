package vuln

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/vuln/internal/classic"
)

// A server with the Ticketbleed flaw repeats 32 bytes of session id however many it was sent: of 31 the last is from
// its memory.
const shortID = 31

// ticketbleed has a ticket issued, and resumes the session with a session id that is a byte short of the usual.
func ticketbleed(ctx context.Context, s *subject) answer {
	v, suites := s.newest(speaks)
	if v == 0 {
		return s.cannotComplete("The flaw is in session tickets before TLS 1.3, and the endpoint accepts no such version.")
	}
	h := s.offer(v, suites)
	h.SetExtension(hello.ExtSessionTicket, nil)
	var ticket []byte
	var unfinished error
	err := s.open(ctx, h, func(x *classic.Session) { unfinished, ticket = x.Complete(), x.Ticket })
	if err = firstError(err, unfinished); err != nil {
		return failed(err)
	}
	if len(ticket) == 0 {
		return no(nil, "The server issues no session ticket.")
	}
	again := s.offer(v, suites)
	again.SetExtension(hello.ExtSessionTicket, ticket)
	again.SessionID = make([]byte, shortID)
	rand.Read(again.SessionID) // it never fails
	clearOfHang(again)         // load balancers with the one flaw had the other too
	o := s.ask(ctx, again)
	if !o.Accepted() {
		return failed(failure(&o))
	}
	id := o.Hello.SessionID
	evidence := []string{fmt.Sprintf("a ticket with a session id of %d bytes was answered with one of %d", shortID, len(id))}
	switch {
	case len(id) > shortID && bytes.HasPrefix(id, again.SessionID):
		return yes(evidence, "The server repeats more of a session id than it was sent: up to 31 bytes of its memory can be read at a time.")
	case bytes.Equal(id, again.SessionID):
		return no(evidence, "The server resumes the session and repeats the session id as it was sent.")
	}
	return no(evidence, "The server does not repeat a session id of that length.")
}
