// Package negotiate decides what a client and a server agree on. Decide is the one place in Parley
// that knows how TLS chooses; it is pure: values in, a value out.
package negotiate

import (
	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/suite"
)

// Outcome is what a handshake between an offer and a policy comes to.
type Outcome struct {
	OK          bool
	Version     suite.Version
	Suite       suite.Code
	Group       suite.Group           // 0 where the suite needs none
	Scheme      suite.SignatureScheme // 0 where nothing is signed, or before TLS 1.2
	ALPN        string
	HelloRetry  bool     // TLS 1.3: the server asks for another key share first
	Certificate int      // index in the identity's list; -1 where none is used or known
	Assumed     []string // facts the answer takes for granted because a side does not state them
	Reason      Reason   // why not, when OK is false
}

// Reason is why a handshake fails: the cause and the two sets that did not meet, each in its side's
// own order and in the names of the field ("TLSv1.0", "ECDHE-RSA-AES128-SHA", "x25519").
type Reason struct {
	Cause   cause.ID
	By      string        // "server" or "client": who gives up
	Version suite.Version // the version that was agreed before the failure; 0 if none was
	Client  []string
	Server  []string
	// Signal is what the side that gives up sends, by the kind of server.
	Signal Signal
}

// Signal is how a refusal looks on the wire. At most one of the first four fields is set; none is if it is not
// known.
type Signal struct {
	Alert suite.Alert // the error alert, before the close; 0 for none
	// CloseNotify: the alert close_notify (0), which names no error (RFC 8446 section 6.1), and a close.
	CloseNotify bool
	Close       bool   // a close without any alert
	Reset       bool   // a reset of the connection
	Source      string // where this is known from: "measured: …" or "reported: …"
}
