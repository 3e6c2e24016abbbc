package vuln

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"slices"
	"sync"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/vuln/internal/classic"
)

// form is one way to fill the block that a ClientKeyExchange encrypts. A server must answer all of them alike
// (RFC 5246 section 7.4.7.1): whoever can tell them apart can decrypt what others sent, a bit at a time.
type form struct {
	name string
	make func(key *rsa.PublicKey, version suite.Version) []byte
}

var forms = []form{
	{"well formed", func(key *rsa.PublicKey, v suite.Version) []byte { return classic.Pad(key, secret(v)) }},
	{"wrong first bytes", func(key *rsa.PublicKey, v suite.Version) []byte {
		b := classic.Pad(key, secret(v))
		b[0], b[1] = 0x41, 0x17
		return b
	}},
	{"a secret that is too short", func(key *rsa.PublicKey, v suite.Version) []byte { return classic.Pad(key, secret(v)[:46]) }},
	{"no zero before the secret", func(key *rsa.PublicKey, v suite.Version) []byte {
		b := classic.Pad(key, secret(v))
		for i := range b[2:] {
			b[2+i] |= 1
		}
		return b
	}},
	{"wrong version in the secret", func(key *rsa.PublicKey, _ suite.Version) []byte { return classic.Pad(key, secret(0x0202)) }},
}

// The places of forms that tell how much an oracle gives away.
const (
	wrongHead = 1
	tooShort  = 2
	noZero    = 3
)

func secret(v suite.Version) []byte {
	b := make([]byte, 48)
	rand.Read(b) // it never fails
	b[0], b[1] = byte(v>>8), byte(v)
	return b
}

// flow is how the rest of the client's flight follows: with it in one piece, or not at all until the server has had
// time to answer. Some servers give themselves away in the one only, some in the other.
type flow struct {
	name string
	wait bool
}

var flows = []flow{{"the whole flight at once", false}, {"the key exchange alone", true}}

// rounds is how often all forms are sent before a difference is believed.
const rounds = 3

// robot looks for a Bleichenbacher oracle.
func robot(ctx context.Context, s *subject) answer {
	v, suites := s.newest(func(i *suite.Suite, _ suite.Version) bool {
		return i.KeyExchange == suite.KXRSA && !i.Export && i.Encryption != "NULL"
	})
	if v == 0 {
		if a := rsaOpen(s); a != nil {
			return *a
		}
		return no(nil, "No suite with RSA key exchange is accepted.")
	}
	var seen [rounds]table
	for n := range seen {
		var err error
		if seen[n], err = s.answers(ctx, v, suites); err != nil {
			return failed(err)
		}
		if n == 0 && seen[0].uniform() {
			if !s.admits(ctx, v, suites) {
				return unsure([]string{fmt.Sprintf("%d forms of the encrypted secret were all answered with %s", len(forms), seen[0][0][0])},
					"The server asks for a client certificate, and may refuse every key exchange for want of it.")
			}
			return no([]string{fmt.Sprintf("%s, %s: %d forms of the encrypted secret, %d of them malformed, were all answered with %s", v, suites[0].OpenSSL(), len(forms), len(forms)-1, seen[0][0][0])},
				"The server answers malformed RSA key exchanges as it does well-formed ones.")
		}
	}
	switch evidence := seen[0].evidence(); {
	case seen[0] == seen[1] && seen[1] == seen[2]:
		return yes(evidence, "The server tells well-formed RSA key exchanges from malformed ones: with a %s oracle recorded sessions can be decrypted and signatures forged.", seen[0].strength())
	case seen[1].uniform() && seen[2].uniform():
		return no(evidence, "The server answered one form of the RSA key exchange otherwise, once in three rounds: that was noise.")
	default:
		return unsure(append(evidence, seen[1].evidence()...), "The server's answers to malformed RSA key exchanges differ, but not in the same way each time.")
	}
}

// rsaOpen says that RSA key exchange may be accepted after all.
func rsaOpen(s *subject) *answer {
	for _, r := range s.result.Versions {
		if l := where(r.Unsure, func(i *suite.Suite) bool { return i.KeyExchange == suite.KXRSA }); len(l) > 0 {
			a := unsure(nil, "The scan could not find out whether the endpoint accepts RSA key exchange: the network failed each time.")
			return &a
		}
	}
	return nil
}

// table holds the answers to all forms in all flows.
type table [2][5]string

func (t *table) uniform() bool {
	for _, row := range t {
		if slices.ContainsFunc(row[:], func(a string) bool { return a != row[0] }) {
			return false
		}
	}
	return true
}

// strength tells a weak oracle, which shows only whether a block is well formed in all ways and so needs many more
// queries, from a strong one.
func (t *table) strength() string {
	for _, row := range t {
		if row[wrongHead] != row[tooShort] || row[wrongHead] != row[noZero] {
			return "strong"
		}
	}
	return "weak"
}

func (t *table) evidence() []string {
	var l []string
	for f, row := range t {
		for i, a := range row {
			l = append(l, fmt.Sprintf("%s, %s: %s", flows[f].name, forms[i].name, a))
		}
	}
	return l
}

// answers sends all forms in all flows, side by side.
func (s *subject) answers(ctx context.Context, v suite.Version, suites []suite.Code) (t table, err error) {
	var mu sync.Mutex
	var group sync.WaitGroup
	for f := range flows {
		for i := range forms {
			group.Go(func() {
				a, e := s.malformed(ctx, v, suites, &forms[i], &flows[f])
				mu.Lock()
				defer mu.Unlock()
				t[f][i], err = a, firstError(err, e)
			})
		}
	}
	group.Wait()
	return t, err
}

func (s *subject) malformed(ctx context.Context, v suite.Version, suites []suite.Code, form *form, flow *flow) (got string, err error) {
	var unable error
	err = s.open(ctx, s.offer(v, suites), func(x *classic.Session) {
		key, e := x.RSAKey()
		if unable = e; e != nil {
			return
		}
		block := form.make(key, x.Hello.Version)
		if v >= suite.TLS10 { // SSLv3 answers with a warning, or not at all
			if unable = x.AnswerRequest(); unable != nil {
				return
			}
		}
		x.SendMessage(hello.Message{Type: classic.TypeClientKeyExchange, Body: classic.RSAExchange(key, block, x.Server.Version)})
		if unable = x.Prove(); unable != nil {
			return
		}
		if flow.wait {
			if e := x.Next(patienceOf(x)); e.Kind != classic.Silence {
				got = label(e)
				return
			}
		}
		x.SendBareChangeCipherSpec()
		x.Send(hello.RecordHandshake, make([]byte, 64)) // no Finished that anybody can decrypt
		got = label(untilEnd(x))
	})
	return got, firstError(err, unable)
}

// label is what an answer is compared by. A server that hangs up while there is something to read sends a reset, so
// that a close and a reset are the same.
func label(e classic.Event) string {
	if e.Kind == classic.Closed || e.Kind == classic.Reset {
		return "a close or reset"
	}
	return e.String()
}
