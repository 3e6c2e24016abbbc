package vuln

import (
	"time"

	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/vuln/internal/classic"
)

// speaks reports whether a check can complete a handshake of version v with a suite.
func speaks(i *suite.Suite, v suite.Version) bool { return classic.Speaks(i.Code, v) }

// cannotComplete is the answer of a check that has no suite to complete a handshake with.
func (s *subject) cannotComplete(onlyTLS13 string) answer {
	if v, _ := s.newest(anySuite); v != 0 {
		return notTested("The endpoint accepts no suite that this test can complete a handshake with.")
	}
	return no(nil, "%s", onlyTLS13)
}

// untilEnd reads on until the connection ends, or nothing more comes.
func untilEnd(x *classic.Session) classic.Event {
	for until := time.Now().Add(longPatienceOf(x)); ; {
		if e := x.Next(time.Until(until)); e.Kind == classic.Silence || e.Ends() {
			return e
		}
	}
}

// patienceOf is how long a server is given to answer, where silence is one of the answers: several times what it
// took for its first flight, in which it had more to do.
func patienceOf(x *classic.Session) time.Duration {
	return min(3*x.FirstByte+60*time.Millisecond, 2*time.Second)
}

// longPatienceOf is how long a server is given to answer what every server answers.
func longPatienceOf(x *classic.Session) time.Duration {
	return max(20*x.FirstByte, 2*time.Second)
}
