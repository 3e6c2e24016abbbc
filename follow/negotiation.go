// Package follow watches one TLS negotiation go by: it is fed with what each side of a connection sends, and tells
// the hello, the answer, and how the handshake ended. It decrypts nothing, alters nothing, and opens no connection: a
// capture and a relay feed it alike.
package follow

import (
	"fmt"
	"time"

	"github.com/parley-tls/parley/evidence"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// Party is one of the two roles in a negotiation.
type Party string

// The parties.
const (
	Client Party = "client"
	Server Party = "server"
)

// Stage says how far a negotiation came.
type Stage int

// The stages in their order. In TLS 1.3 the rest of the server's flight and the client's are encrypted: they are
// told by their records.
const (
	NoHello        Stage = iota
	Hello                // the client's hello is whole
	Retry                // a HelloRetryRequest came
	ServerHello          // the server chose
	ServerFlight         // the server's flight is whole, or as much of it as is in the clear
	ClientFinished       // the client sent its last flight
	Established
)

var stageNames = []string{"connecting", "the client's hello", "the HelloRetryRequest", "the ServerHello", "the server's flight", "the client's Finished", "the handshake"}

// String is the stage as in "after the ServerHello".
func (s Stage) String() string { return stageNames[s] }

// Alert is an alert in the clear.
type Alert struct {
	From Party
	hello.Alert
	After Stage
}

// How a connection ended.
type How string

// The ends.
const (
	Closed How = "closed" // FIN
	Reset  How = "reset"  // RST
)

// End is the first end of a connection: who ended it, how, and after what.
type End struct {
	By    Party
	How   How
	After Stage
	At    time.Time
}

// Negotiation is what was seen of one. What was not seen is zero.
type Negotiation struct {
	Hello    *hello.ClientHello // the first; nil where the client sent none that can be read
	Second   *hello.ClientHello // the answer to a HelloRetryRequest
	BadHello error              // why the hello cannot be read

	// Preamble is the plaintext protocol before the hello: KindHTTP for a CONNECT, the protocols of STARTTLS. Banner
	// says that only the server spoke before the hello.
	Preamble hello.Kind
	Banner   bool
	// ClientPlain and ServerPlain are the first bytes of a side that does not speak TLS at all.
	ClientPlain, ServerPlain []byte

	Retry                *hello.ServerHello // a HelloRetryRequest
	Choice               *hello.ServerHello
	SSLv2                *hello.SSLv2ServerHello
	SSLv2Error           hello.SSLv2Error
	Exchange             *hello.ServerKeyExchange
	Chain                [][]byte // DER, before TLS 1.3
	CertificateRequested bool     // before TLS 1.3
	// ClientCertificates is how many the client sent before TLS 1.3; -1 for no Certificate message.
	ClientCertificates int

	Alerts []Alert // in the order in which they came, a few of them
	// SealedAlert is the side that broke off with an encrypted record of the size of an alert, where the handshake
	// demands something larger: what it says cannot be read.
	SealedAlert Party
	// SealedCertificate says what the sizes of the client's encrypted flight in TLS 1.3 tell: that it holds a
	// Finished alone (NoneAsked), an empty Certificate before it (NoneSent), or more (Sent).
	SealedCertificate Sealed
	Violation         error // what in the answer breaks the protocol
	Gap               bool  // bytes are missing from what was seen

	Stage    Stage
	End      *End // nil: the connection did not end before the handshake or the source did
	HelloAt  time.Time
	AnswerAt time.Time // of the first bytes after the hello
	Last     time.Time // of the last bytes that were looked at
}

// Sealed is what the size of an encrypted flight tells of client certificates.
type Sealed string

// The kinds of flight.
const (
	NoneAsked Sealed = "none-asked"
	NoneSent  Sealed = "none-sent"
	Sent      Sealed = "sent"
)

// Silence is how long a hello must go unanswered to count as a failure when the source ends.
const Silence = 10 * time.Second

// Hellos counts the hellos that were read.
func (n *Negotiation) Hellos() int {
	c := 0
	if n.Hello != nil {
		c++
	}
	if n.Second != nil {
		c++
	}
	return c
}

// Version is the version that was chosen, 0 if none was.
func (n *Negotiation) Version() suite.Version {
	switch {
	case n.Choice != nil:
		return n.Choice.Version
	case n.SSLv2 != nil:
		return suite.SSLv2
	}
	return 0
}

// Suite is the cipher suite that was chosen, 0 if none was.
func (n *Negotiation) Suite() suite.Code {
	if n.Choice != nil {
		return n.Choice.Suite
	}
	return 0
}

// Group is the group of the key exchange, as far as it was seen.
func (n *Negotiation) Group() suite.Group {
	switch {
	case n.Exchange != nil && n.Exchange.Group != 0:
		return n.Exchange.Group
	case n.Choice != nil:
		return n.Choice.Group
	}
	return 0
}

// Fatal is the alert that ended the negotiation, nil if none did: the last fatal one, or a close_notify in place of
// an answer.
func (n *Negotiation) Fatal() *Alert {
	for i := len(n.Alerts) - 1; i >= 0; i-- {
		if a := &n.Alerts[i]; ends(a.Alert) {
			return a
		}
	}
	return nil
}

// ends reports whether an alert ends the handshake. A warning does not, but close_notify.
func ends(a hello.Alert) bool { return a.Fatal || a.Description == suite.AlertCloseNotify }

// Outcome is how the negotiation ended; the cause is for others to find.
func (n *Negotiation) Outcome() evidence.Outcome {
	o := evidence.Outcome{Result: evidence.Established, Version: n.Version(), Suite: n.Suite(), Group: n.Group()}
	if suite.ByCode(o.Suite) == nil {
		o.Suite = 0
	}
	if !o.Version.Known() {
		o.Version = 0
	}
	if n.Stage == Established {
		return o
	}
	o.Result, o.Failure = evidence.Failed, n.failure()
	if o.Failure == "" {
		o.Result = evidence.Unfinished
	}
	return o
}

// failure says what was seen of a failure, "" where none was.
func (n *Negotiation) failure() string {
	switch a := n.Fatal(); {
	case n.BadHello != nil:
		return "a hello that cannot be read"
	case a != nil:
		return fmt.Sprintf("alert %s from the %s after %s", a.Description, a.From, a.After)
	case n.SSLv2Error != 0:
		return n.SSLv2Error.Error()
	case n.ClientPlain != nil:
		return "the client speaks plaintext to a TLS server"
	case n.ServerPlain != nil:
		return fmt.Sprintf("the server answers with no TLS (%s)", hello.Sniff(n.ServerPlain))
	case n.Violation != nil:
		return "the server's answer breaks the protocol"
	case n.SealedAlert != "":
		return fmt.Sprintf("encrypted alert from the %s after %s", n.SealedAlert, n.sealedAfter())
	case n.End != nil && !n.Gap:
		if n.LeftUnanswered() && n.End.At.Sub(n.HelloAt) >= Silence/10 {
			return "no answer; the client gave up"
		}
		return fmt.Sprintf("%s by the %s after %s", n.End.How, n.End.By, n.End.After)
	case n.Stage < ServerFlight && !n.Gap && n.Stage > NoHello && !n.Last.IsZero() && n.Last.Sub(n.HelloAt) >= Silence:
		return "no answer"
	}
	return ""
}

// LeftUnanswered reports whether the client ended the connection before an answer to its hello came. One may come later.
func (n *Negotiation) LeftUnanswered() bool {
	return n.End != nil && n.End.By == Client && n.End.After == Hello && (n.AnswerAt.IsZero() || n.AnswerAt.After(n.End.At))
}

func (n *Negotiation) sealedAfter() Stage {
	if n.SealedAlert == Client {
		return ServerFlight
	}
	return ClientFinished
}
