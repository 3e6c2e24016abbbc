package probe

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// StartTLS names a protocol that speaks plaintext before TLS, as openssl s_client -starttls does.
type StartTLS string

// Protocols that can be upgraded.
const (
	SMTP     StartTLS = "smtp"     // RFC 3207
	IMAP     StartTLS = "imap"     // RFC 2595
	POP3     StartTLS = "pop3"     // RFC 2595
	FTP      StartTLS = "ftp"      // RFC 4217
	NNTP     StartTLS = "nntp"     // RFC 4642
	LDAP     StartTLS = "ldap"     // RFC 4511 section 4.14
	XMPP     StartTLS = "xmpp"     // RFC 6120 section 5
	Postgres StartTLS = "postgres" // PostgreSQL protocol, SSLRequest
	MySQL    StartTLS = "mysql"    // MySQL protocol, SSLRequest
)

// Protocols lists all of them.
var Protocols = []StartTLS{SMTP, IMAP, POP3, FTP, NNTP, LDAP, XMPP, Postgres, MySQL}

// ParseStartTLS reads a name.
func ParseStartTLS(name string) (StartTLS, error) {
	p := StartTLS(strings.ToLower(name))
	if slices.Contains(Protocols, p) {
		return p, nil
	}
	var all []string
	for _, q := range Protocols {
		all = append(all, string(q))
	}
	if near := suite.Nearest(string(p), all, 1); len(near) > 0 {
		return "", fmt.Errorf("unknown STARTTLS protocol %q: did you mean %s?", name, near[0])
	}
	return "", fmt.Errorf("unknown STARTTLS protocol %q: use %s", name, strings.Join(all, ", "))
}

// StartTLSForPort is the protocol whose plaintext port this is, or "".
func StartTLSForPort(port int) StartTLS {
	switch port {
	case 25, 587, 2525:
		return SMTP
	case 143:
		return IMAP
	case 110:
		return POP3
	case 21:
		return FTP
	case 119:
		return NNTP
	case 389, 3268:
		return LDAP
	case 5222, 5269:
		return XMPP
	case 5432:
		return Postgres
	case 3306:
		return MySQL
	}
	return ""
}

// Port is the port on which this protocol is upgraded, by IANA's registry; 443 for none.
func (p StartTLS) Port() int {
	switch p {
	case SMTP:
		return 25
	case IMAP:
		return 143
	case POP3:
		return 110
	case FTP:
		return 21
	case NNTP:
		return 119
	case LDAP:
		return 389
	case XMPP:
		return 5222
	case Postgres:
		return 5432
	case MySQL:
		return 3306
	}
	return 443
}

// StartTLSForBanner is the protocol that a server's first bytes belong to, or "".
func StartTLSForBanner(first []byte) StartTLS {
	switch hello.Sniff(first) {
	case hello.KindSMTP:
		return SMTP
	case hello.KindIMAP:
		return IMAP
	case hello.KindPOP3:
		return POP3
	case hello.KindFTP:
		return FTP
	case hello.KindNNTP:
		return NNTP
	case hello.KindMySQL:
		return MySQL
	case hello.KindPostgres:
		return Postgres
	case hello.KindLDAP:
		return LDAP
	case hello.KindXMPP:
		return XMPP
	}
	return ""
}

// StartTLSForGreeting is the protocol that a server's first bytes on a port belong to, or "". SMTP and FTP greet alike,
// by 220: where the greeting names neither, FTP's port decides.
func StartTLSForGreeting(first []byte, port int) StartTLS {
	p := StartTLSForBanner(first)
	if p == SMTP && StartTLSForPort(port) == FTP {
		line, _, _ := bytes.Cut(first, []byte("\n"))
		if bytes.HasPrefix(line, []byte("220")) && !bytes.Contains(bytes.ToUpper(line), []byte("SMTP")) {
			return FTP
		}
	}
	return p
}

// roundTrips is how many a preamble takes between the TCP handshake and the ClientHello: one for each line
// that is waited for, a greeting included.
func (p StartTLS) roundTrips() int {
	switch p {
	case "":
		return 0
	case LDAP, Postgres, MySQL:
		return 1
	case SMTP:
		return 3
	}
	return 2
}
