package vuln

import (
	"context"
	"fmt"
	"slices"

	"github.com/parley-tls/parley/suite"
)

// The checks of this file follow from the suites and versions that the scan found: they make no connection.

// holds says which suites an attack needs, and in which versions.
type condition struct {
	suites   func(*suite.Suite) bool
	versions []suite.Version // nil: all before TLS 1.3
	yes, no  string          // summaries
}

// classicVersions are those before TLS 1.3 in which suites are chosen as a whole.
var classicVersions = []suite.Version{suite.SSLv3, suite.TLS10, suite.TLS11, suite.TLS12}

// test looks the suites up. A suite that the scan could not ask for, since the network failed each time, is open.
func (c *condition) test(_ context.Context, s *subject) answer {
	versions := c.versions
	if versions == nil {
		versions = classicVersions
	}
	var found, open []string
	for _, r := range s.result.Versions {
		if !slices.Contains(versions, r.Version) {
			continue
		}
		if l := where(r.Suites, c.suites); r.Accepted && len(l) > 0 {
			found = append(found, fmt.Sprintf("%s: %s", r.Version, list(l)))
		}
		if l := where(r.Unsure, c.suites); len(l) > 0 {
			open = append(open, fmt.Sprintf("%s, not found out: %s", r.Version, list(l)))
		}
	}
	switch {
	case len(found) > 0:
		return yes(found, "%s", c.yes)
	case len(open) > 0:
		return unsure(open, "The scan could not find out whether the endpoint accepts the suites that matter: the network failed each time.")
	}
	return no(nil, "%s", c.no)
}

func cbc(i *suite.Suite) bool { return i.Mode == "CBC" }

func encrypts(with ...string) func(*suite.Suite) bool {
	return func(i *suite.Suite) bool { return slices.Contains(with, i.Encryption) }
}

func exportRSA(i *suite.Suite) bool { return i.Export && i.KeyExchange == suite.KXRSA }

func exportDHE(i *suite.Suite) bool { return i.Export && i.KeyExchange == suite.KXDHE }

var (
	poodleSSL3 = (&condition{suites: cbc, versions: []suite.Version{suite.SSLv3},
		yes: "SSLv3 is accepted with a CBC suite: its padding is not authenticated, so an attacker on the path can read cookies byte by byte.",
		no:  "SSLv3 is not accepted with a CBC suite."}).test
	freak = (&condition{suites: exportRSA,
		yes: "RSA export suites are accepted: an attacker on the path can move clients that have the flaw of the same name to a 512-bit key and factor it.",
		no:  "No RSA export suite is accepted."}).test
	sweet32 = (&condition{suites: encrypts("3DES", "DES", "IDEA", "RC2", "GOST28147", "MAGMA", "Fortezza"),
		yes: "Suites with 64-bit blocks are accepted: after some 2^32 blocks on a connection, blocks repeat and give away what they hold.",
		no:  "No suite with 64-bit blocks is accepted."}).test
	rc4 = (&condition{suites: encrypts("RC4"),
		yes: "RC4 is accepted: its biases give away what is sent often enough, such as cookies.",
		no:  "RC4 is not accepted."}).test
	beast = (&condition{suites: cbc, versions: []suite.Version{suite.SSLv3, suite.TLS10},
		yes: "CBC suites are accepted in TLS 1.0 or SSLv3, where the next initialization vector is known: clients that do not split records are open to a chosen-plaintext attack.",
		no:  "No CBC suite is accepted in TLS 1.0 or SSLv3."}).test
	nullSuites = (&condition{suites: func(i *suite.Suite) bool { return i.Encryption == "NULL" && i.KeyExchange != suite.KXAny },
		yes: "Suites without encryption are accepted: data goes in plaintext.",
		no:  "No suite without encryption is accepted."}).test
	anonymousSuites = (&condition{suites: func(i *suite.Suite) bool {
		return i.Authentication == suite.AuthAnon || i.Authentication == suite.AuthNull
	},
		yes: "Suites without authentication are accepted: anybody on the path can take the server's place for clients that offer them.",
		no:  "No suite without authentication is accepted."}).test
	exportSuites = (&condition{suites: func(i *suite.Suite) bool { return i.Export },
		yes: "Export suites are accepted: their keys can be found by search.",
		no:  "No export suite is accepted."}).test
)
