package probe

import (
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// Answer is how an endpoint answered a hello, in one word.
type Answer string

// Answers, in the order in which a connection meets them.
const (
	NoAddress      Answer = "no-address"      // the name does not resolve
	Refused        Answer = "refused"         // reset in answer to SYN
	ConnectTimeout Answer = "connect-timeout" // no answer to SYN
	Unreachable    Answer = "unreachable"     // no route, or the local system forbids it
	PreambleFailed Answer = "preamble-failed" // STARTTLS was not granted
	ServerHello    Answer = "server-hello"
	HelloRetry     Answer = "hello-retry-request"
	Alerted        Answer = "alert"
	Closed         Answer = "close"     // a clean close without an alert
	Reset          Answer = "reset"     // the connection was reset after the hello
	Silent         Answer = "timeout"   // nothing came before the time limit
	NotTLS         Answer = "not-tls"   // bytes of some other protocol
	Malformed      Answer = "malformed" // TLS records that break the protocol
)

// Accepted reports whether the endpoint chose something from the hello.
func (a Answer) Accepted() bool { return a == ServerHello || a == HelloRetry }

// Refusal reports whether the endpoint said no by the means that TLS servers use: an alert, or a close
// without one, as s2n does where no suite is shared. A reset or silence can be the network's.
func (a Answer) Refusal() bool { return a == Alerted || a == Closed }

// Reached reports whether a TCP connection came about.
func (a Answer) Reached() bool {
	switch a {
	case NoAddress, Refused, ConnectTimeout, Unreachable:
		return false
	}
	return true
}

// maxRaw is how much of an answer an Observation keeps.
const maxRaw = 256

// Observation is what happened on one connection.
type Observation struct {
	Answer      Answer
	Err         error         // the network's error, if any
	ConnectTime time.Duration // until the TCP connection stood, or failed
	FirstByte   time.Duration // from the hello to the first byte of the answer; 0 if none came
	LastByte    time.Duration // from the hello to the last of them
	Ended       time.Duration // from the hello until nobody read on
	Reads       int           // pieces in which the answer came
	Sent        int           // bytes of the hello
	Received    int           // bytes of the answer
	RoundTrips  int           // that this connection waited for
	Raw         []byte        // the first bytes of the answer, at most 256

	Hello   *hello.ServerHello // nil unless Answer.Accepted
	Version suite.Version      // chosen
	Suite   suite.Code         // chosen
	Group   suite.Group        // of the key exchange, where one shows
	Scheme  suite.SignatureScheme
	DHBits  int         // of a DHE prime
	ALPN    string      // where it is in the clear (before TLS 1.3)
	Chain   [][]byte    // DER, leaf first; before TLS 1.3 only
	Alert   suite.Alert // when Answer is Alerted, or when an alert ended the flight
	Kind    hello.Kind  // what the bytes are, when Answer is NotTLS

	ClientAuth bool // a CertificateRequest was seen (before TLS 1.3)
	// KeyExchange and Request are the messages of those names, nil if there were none (before TLS 1.3).
	KeyExchange *hello.ServerKeyExchange
	Request     *hello.CertificateRequest
	// Complete is true when the server's first flight came to its end. If it did not, End says how
	// the connection ended, where Answer does not: a flight that stops half-way is a sign of lost large packets.
	Complete bool
	End      Answer
}

// Trickled reports whether the answer, which did not come to its end, was still coming when the time was over, or was too
// short for a packet of anybody's: then it is slow, and nothing was lost on the way.
func (o *Observation) Trickled() bool {
	late := o.Reads >= 3 && o.LastByte-o.FirstByte > (o.Ended-o.FirstByte)/2
	return !o.Complete && (o.Answer == Silent || o.End == Silent) && o.Received > 0 && (late || o.Received < 5)
}

// Accepted reports whether the endpoint took the hello and its first flight did not break off.
func (o *Observation) Accepted() bool { return o.Answer.Accepted() && o.Complete }
