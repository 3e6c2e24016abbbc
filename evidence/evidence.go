// Package evidence holds what clients of a load balancer were seen to do: in captures, recordings of a relay, and logs. A
// Tally puts connections together by kind of client, so that memory grows with the kinds and not with the traffic.
package evidence

import (
	"encoding/hex"
	"net/netip"
	"time"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// Connection is one connection as it was seen. What its source does not tell is zero.
type Connection struct {
	Time      time.Time
	Client    netip.Addr // the source address: the client, or the last machine that translated its address
	Server    string     // "address:port" of a capture, the load balancer's name in a log
	Name      string     // server_name
	Hello     *hello.ClientHello
	Offered   *Offered // what a log says of the hello; nil where Hello is there, or nothing is known
	UserAgent string   // of an HTTP request in a log
	Request   bool     // one request, of which a connection carries many: the source does not count connections
	Outcome   Outcome
}

// Result is how a handshake ended.
type Result string

// Results.
const (
	Established Result = "established"
	Failed      Result = "failed"
	Unfinished  Result = "unfinished" // the source ends before the handshake does
)

// Outcome is how a connection's handshake ended, and what was chosen as far as it was seen: a log of failed handshakes
// has neither version nor suite.
type Outcome struct {
	Result  Result        `json:"result"`
	Version suite.Version `json:"version,omitempty"`
	Suite   suite.Code    `json:"cipher,omitzero"`
	Group   suite.Group   `json:"group,omitempty"`
	Failure string        `json:"failure,omitempty"` // what was seen of it, in the words of the source
	Cause   cause.ID      `json:"cause,omitempty"`   // where what was seen decides it
}

// Client is one kind of client: connections with the same hello, but for what is random and whom it is for; or lines of
// a log with the same choice or failure, offer and user agent. The source may be several machines.
type Client struct {
	JA4         string    `json:"ja4,omitempty"`
	Hello       Bytes     `json:"client_hello,omitempty"` // the first of them; nil where the evidence is a log
	Offered     *Offered  `json:"offered,omitempty"`      // in place of it, where a log says some of it
	UserAgent   string    `json:"user_agent,omitempty"`
	Names       []string  `json:"server_names,omitempty"` // a few of them
	Servers     []string  `json:"servers,omitempty"`      // a few of them
	Outcomes    []Count   `json:"outcomes"`               // most frequent first
	Connections int       `json:"connections"`
	Requests    int       `json:"requests,omitempty"`  // lines of a log about requests, which does not count connections
	Sources     int       `json:"sources"`             // distinct client addresses
	Busiest     []Source  `json:"busiest,omitempty"`   // a few of them, most frequent first
	AtLeast     bool      `json:"at_least,omitempty"`  // there were too many sources to tell them all apart
	First       time.Time `json:"first_seen,omitzero"` // zero where the source has no time
	Last        time.Time `json:"last_seen,omitzero"`
}

// Count is how often an outcome was seen.
type Count struct {
	Outcome
	Connections int `json:"connections"`
	Requests    int `json:"requests,omitempty"`
}

// Seen is how often the outcome was seen, in whatever the source counts.
func (c *Count) Seen() int { return c.Connections + c.Requests }

// Source is a client's address, and how often it was seen.
type Source struct {
	Address netip.Addr `json:"address"`
	Seen    int        `json:"seen"`
}

// Offered is the part of a ClientHello that servers can log: nginx's $ssl_ciphers and $ssl_curves, HAProxy's
// ssl_fc_cipherlist_* and its like. GREASE values are left out, since they differ between hellos of one client.
type Offered struct {
	Version    suite.Version `json:"hello_version,omitempty"` // the hello's own version field, TLSv1.2 at most
	Suites     []suite.Code  `json:"ciphers,omitempty"`       // in the client's order, signalling values included
	Groups     []suite.Group `json:"groups,omitempty"`
	Extensions []uint16      `json:"extensions,omitempty"`
}

// Seen is how often the client was seen, in whatever the source counts.
func (c *Client) Seen() int { return c.Connections + c.Requests }

// Failures counts the handshakes that failed.
func (c *Client) Failures() (n int) {
	for _, o := range c.Outcomes {
		if o.Result == Failed {
			n += o.Seen()
		}
	}
	return n
}

// ClientHello parses the hello, nil where there is none. A client that a Tally made has a sound one.
func (c *Client) ClientHello() (*hello.ClientHello, error) {
	if c.Hello == nil {
		return nil, nil
	}
	return hello.ParseClientHello(c.Hello)
}

// Bytes are bytes that are hexadecimal digits in JSON.
type Bytes []byte

// MarshalText gives the digits.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(b)), nil }

// UnmarshalText reads them.
func (b *Bytes) UnmarshalText(text []byte) (err error) {
	*b, err = hex.DecodeString(string(text))
	return err
}
