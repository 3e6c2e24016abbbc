package diagnose

import (
	"cmp"
	"fmt"
	"math"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/evidence"
	"github.com/parley-tls/parley/follow"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
)

// Sighting is a negotiation that failed before somebody's eyes: in a capture, or through a relay. No connection is
// made to explain it.
type Sighting struct {
	Negotiation *follow.Negotiation
	Server      string          // host:port, for commands
	Client      string          // what `parley why --client` takes to try it again, "" if there is nothing yet
	Profile     *client.Profile // whose hello it is, nil where that is not known
	Accepted    *Accepted       // what the same server was seen to accept from others; may be nil
	Again       int             // segments of the client that came again after its hello was whole
}

// Accepted is what one server was seen to choose.
type Accepted struct {
	Versions []suite.Version
	Suites   []suite.Code
	Groups   []suite.Group
	StartTLS []probe.StartTLS // upgrades from plaintext
}

// Add takes in what a negotiation came to.
func (a *Accepted) Add(n *follow.Negotiation) {
	add(&a.Versions, n.Version())
	add(&a.Suites, n.Suite())
	add(&a.Groups, n.Group())
	if !n.Banner {
		add(&a.StartTLS, StartTLSOf(n.Preamble))
	}
}

func add[T comparable](l *[]T, v T) {
	var zero T
	if v != zero && !slices.Contains(*l, v) {
		*l = append(*l, v)
	}
}

// Causes explains the failure as far as it can be from outside, the most probable cause first. Many alerts do not
// decide: then several causes share the confidence, and Decide says what would. It returns nil for a negotiation that
// did not fail.
func (s *Sighting) Causes() []Cause {
	n := s.Negotiation
	out := n.Outcome()
	if out.Result != evidence.Failed {
		return nil
	}
	fact := Evidence{Fact: "seen: " + out.Failure}
	l := s.explain()
	if len(l) == 0 {
		l = []likely{{id: cause.Unknown, p: 0.5}}
	}
	slices.SortStableFunc(l, func(a, b likely) int { return cmp.Compare(b.p, a.p) })
	var causes []Cause
	for i, x := range l {
		if i == 3 || i > 0 && x.p < 0.08 {
			break
		}
		k := Cause{ID: x.id, Confidence: max(0.01, math.Round(100*x.p)/100), Stage: x.id.Stage(), Summary: x.summary, ClientSet: x.client, ServerSet: x.server, Evidence: []Evidence{}}
		if k.Summary == "" {
			row, _ := cause.Lookup(x.id)
			k.Summary = lower(row.Condition)
		}
		if i == 0 {
			k.Evidence = append(k.Evidence, fact)
		}
		for _, f := range x.facts {
			k.Evidence = append(k.Evidence, Evidence{Fact: f})
		}
		if k.Confidence < 0.9 && i == 0 {
			k.Decide = s.decide()
		}
		causes = append(causes, k)
	}
	return causes
}

// likely is a cause with its probability.
type likely struct {
	id             cause.ID
	p              float64
	summary        string
	client, server []string
	facts          []string
}

func lower(s string) string {
	if len(s) > 1 && s[1] >= 'a' && s[1] <= 'z' {
		return strings.ToLower(s[:1]) + s[1:]
	}
	return s
}

// decide is what would settle the cause.
func (s *Sighting) decide() string {
	n := s.Negotiation
	if n.Hello == nil {
		return "parley scan " + quote(s.Server)
	}
	who := cmp.Or(s.Client, "HELLO")
	command := "parley why " + quote(s.Server) + " --client "
	if who == "HELLO" {
		command += who
	} else {
		command += quote(who)
	}
	if kind := StartTLSOf(n.Preamble); kind != "" && !n.Banner {
		command += " --starttls " + string(kind)
	}
	if o := n.Hello.Offer(); s.Profile != nil && s.Client == s.Profile.Name && o.ServerName != "" {
		if host, _, _ := net.SplitHostPort(s.Server); host != o.ServerName {
			command += " --servername " + quote(o.ServerName)
		}
	}
	return command
}

// StartTLSOf is the upgrade from plaintext that belongs to a protocol, "" if there is none.
func StartTLSOf(k hello.Kind) probe.StartTLS {
	return map[hello.Kind]probe.StartTLS{hello.KindSMTP: probe.SMTP, hello.KindIMAP: probe.IMAP, hello.KindPOP3: probe.POP3, hello.KindFTP: probe.FTP,
		hello.KindNNTP: probe.NNTP, hello.KindLDAP: probe.LDAP, hello.KindXMPP: probe.XMPP, hello.KindPostgres: probe.Postgres, hello.KindMySQL: probe.MySQL}[k]
}

func (s *Sighting) explain() []likely {
	n := s.Negotiation
	a := n.Fatal()
	switch {
	case n.BadHello != nil:
		return []likely{{id: cause.ProtocolViolation, p: 0.8, summary: "the client's hello cannot be read: " + n.BadHello.Error()}}
	case n.ClientPlain != nil:
		return []likely{{id: cause.HTTPSentToTLS, p: 0.95, summary: "the client speaks plaintext HTTP; the server expects TLS",
			facts: []string{fmt.Sprintf("the client's first bytes are %q", n.ClientPlain[:min(len(n.ClientPlain), 16)])}}}
	case n.ServerPlain != nil:
		return s.plaintextAnswer()
	case n.Banner && n.Stage == follow.Hello && StartTLSOf(n.Preamble) != "" && a == nil:
		return []likely{{id: cause.TLSOnSTARTTLSPort, p: 0.9,
			summary: fmt.Sprintf("the server speaks %s in plaintext first; the client began TLS at once", n.Preamble)}}
	case n.SSLv2Error != 0:
		return []likely{{id: cause.NoCommonCipher, p: 0.6, summary: n.SSLv2Error.Error()}, {id: cause.SSLv2HelloRefused, p: 0.3}}
	case a != nil && a.From == follow.Server && n.Stage < follow.ServerHello:
		return s.refusedHello(0.1, func(g signalSeen) bool { return g.alerted && g.alert == a.Description })
	case a != nil && a.From == follow.Server:
		return s.refusedClient(a.Description)
	case a != nil && n.Stage < follow.ServerHello:
		return []likely{{id: cause.Unknown, p: 0.6, summary: fmt.Sprintf("the client itself gave up before the server answered (%s)", a.Description)}}
	case a != nil:
		return s.clientRefuses(a.Description)
	case n.Violation != nil:
		return []likely{{id: cause.ProtocolViolation, p: 0.7, summary: "the server's answer breaks the protocol: " + n.Violation.Error()}, {id: cause.MiddleboxInterference, p: 0.15}}
	case n.SealedAlert == follow.Client:
		return s.sealedByClient()
	case n.SealedAlert == follow.Server:
		return s.sealedByServer()
	case n.LeftUnanswered() && n.End.At.Sub(n.HelloAt) < time.Second:
		return []likely{{id: cause.Unknown, p: 0.6, summary: fmt.Sprintf("the client left %d ms after its hello, before an answer came", n.End.At.Sub(n.HelloAt).Milliseconds())}}
	case n.LeftUnanswered() && !n.AnswerAt.IsZero():
		return []likely{{id: cause.ConnectionTimeout, p: 0.9, summary: fmt.Sprintf("the server's answer came %.1f s after the hello, when the client had given up", n.AnswerAt.Sub(n.HelloAt).Seconds())}}
	case n.End == nil || n.LeftUnanswered():
		return s.silence()
	case n.Stage < follow.ServerHello && n.End.By == follow.Server:
		return s.hungUp()
	case n.End.By == follow.Client && n.Stage < follow.ServerFlight && n.Choice != nil && n.Choice.Version < suite.TLS13:
		return s.silence()
	case n.End.By == follow.Client && n.Stage >= follow.ServerHello:
		return s.clientLeft()
	case n.Stage >= follow.ClientFinished:
		return s.sealedByServer()
	}
	return nil
}

// plaintextAnswer: the server answers the hello in another protocol.
func (s *Sighting) plaintextAnswer() []likely {
	b := s.Negotiation.ServerPlain
	fact := fmt.Sprintf("the server's first bytes are %q", b[:min(len(b), 24)])
	switch k := hello.Sniff(b); {
	case k == hello.KindHTTP || k == hello.KindHTTP2:
		return []likely{{id: cause.PlainHTTPOnTLSPort, p: 0.95, summary: "the server answers TLS with plaintext HTTP", facts: []string{fact}}}
	case StartTLSOf(k) != "":
		return []likely{{id: cause.TLSOnSTARTTLSPort, p: 0.9, summary: fmt.Sprintf("the server speaks %s in plaintext first", k), facts: []string{fact}}}
	default:
		return []likely{{id: cause.NotTLS, p: 0.8, summary: "the server does not answer in TLS", facts: []string{fact}}, {id: cause.MiddleboxInterference, p: 0.1}}
	}
}

// silence: the hello met no answer, or a part of one.
func (s *Sighting) silence() []likely {
	n := s.Negotiation
	size := 0
	if n.Hello != nil {
		size = n.Hello.WireSize()
	}
	if n.Choice != nil {
		return []likely{{id: cause.MTUBlackhole, p: 0.6, summary: "the server's flight began and never came to its end: large packets may be lost on the way"}, {id: cause.Unknown, p: 0.3}}
	}
	large := 0.05
	if size > 1400 {
		large = 0.5
		if s.Again > 0 {
			large = 0.75
		}
	}
	l := []likely{{id: cause.LargeHelloDropped, p: large, summary: fmt.Sprintf("the hello of %d bytes was never answered: hellos over one segment may be dropped on the way", size)},
		{id: cause.ConnectionTimeout, p: 0.5 * (1 - large), summary: "the server took the connection and never answered the hello"},
		{id: cause.VersionIntolerance, p: 0.15 * (1 - large)}, {id: cause.HelloSizeIntolerance, p: 0.15 * (1 - large)}}
	if s.Again > 0 {
		l[0].facts = []string{plural(s.Again, "segment") + " of the client came again"}
	}
	return l
}

// hungUp: the server ended the connection upon the hello, without an alert.
func (s *Sighting) hungUp() []likely {
	if s.Accepted != nil && len(s.Accepted.StartTLS) > 0 && (s.Negotiation.Banner || StartTLSOf(s.Negotiation.Preamble) == "") {
		return []likely{{id: cause.TLSOnSTARTTLSPort, p: 0.9, summary: "the client began TLS at once; others upgrade to it from plaintext here (" + string(s.Accepted.StartTLS[0]) + ")"}}
	}
	reset := s.Negotiation.End.How == follow.Reset
	l := s.refusedHello(0.5, func(g signalSeen) bool { return reset && g.reset || !reset && g.close })
	rest := 1.0
	for _, x := range l {
		rest -= x.p
	}
	words := map[bool]string{true: "reset", false: "closed"}[reset]
	return append(l, likely{id: cause.ConnectionReset, p: 0.9 * rest, summary: "the connection was " + words + " upon the client's hello, without an alert"})
}
