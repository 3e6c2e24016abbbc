package probe

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
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

// ErrNotOffered is returned where a server speaks the protocol but does not offer the upgrade.
var ErrNotOffered = errors.New("the server does not offer STARTTLS")

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

// maxPreamble bounds what a server may say before TLS.
const maxPreamble = 16 << 10

// Negotiate speaks the preamble on conn, up to the point at which a ClientHello may be sent. The deadline
// is the caller's. host is the name that the server is addressed by.
func (p StartTLS) Negotiate(conn net.Conn, host string) error {
	// One byte at a time: nothing that belongs to TLS may be read here.
	r := bufio.NewReaderSize(&oneByte{io.LimitReader(conn, maxPreamble)}, 16)
	d := dialogue{r: r, w: conn, protocol: p}
	switch p {
	case SMTP:
		return d.run("220", "EHLO parley.invalid\r\n", "250", "STARTTLS\r\n", "220")
	case IMAP:
		return d.run("* ", "a STARTTLS\r\n", "a OK")
	case POP3:
		return d.run("+OK", "STLS\r\n", "+OK")
	case FTP:
		return d.run("220", "AUTH TLS\r\n", "234")
	case NNTP:
		return d.run("20", "STARTTLS\r\n", "382")
	case XMPP:
		return d.xmpp(host)
	case LDAP:
		return d.ldap()
	case Postgres:
		return d.postgres()
	case MySQL:
		return d.mysql()
	}
	return fmt.Errorf("unknown STARTTLS protocol %q", string(p))
}

// oneByte makes every read a single byte.
type oneByte struct{ r io.Reader }

func (o *oneByte) Read(b []byte) (int, error) {
	if len(b) > 1 {
		b = b[:1]
	}
	return o.r.Read(b)
}

type dialogue struct {
	r        *bufio.Reader
	w        io.Writer
	protocol StartTLS
}

// run waits for a line that begins with the first word, says the second, and so on. Lines with a dash after
// a number are continued (RFC 5321 section 4.2.1).
func (d *dialogue) run(steps ...string) error {
	for i, s := range steps {
		if i%2 == 1 {
			if _, err := io.WriteString(d.w, s); err != nil {
				return fmt.Errorf("%s: %w", d.protocol, err)
			}
			continue
		}
		for {
			line, err := d.r.ReadString('\n')
			if err != nil {
				return fmt.Errorf("%s: waiting for %q: %w", d.protocol, s, err)
			}
			if len(line) > 3 && line[3] == '-' {
				continue
			}
			if strings.HasPrefix(line, s) {
				break
			}
			if d.protocol == IMAP && strings.HasPrefix(line, "* ") {
				continue
			}
			return fmt.Errorf("%s: %w: it says %q", d.protocol, ErrNotOffered, strings.TrimSpace(line))
		}
	}
	return nil
}

func (d *dialogue) xmpp(host string) error {
	if _, err := fmt.Fprintf(d.w, "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='%s' version='1.0'>",
		strings.NewReplacer("'", "", "<", "", "&", "").Replace(host)); err != nil {
		return err
	}
	if err := d.until("</stream:features>", "urn:ietf:params:xml:ns:xmpp-tls"); err != nil {
		return err
	}
	if _, err := io.WriteString(d.w, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"); err != nil {
		return err
	}
	return d.until(">", "<proceed")
}

// until reads up to the first end after which all that was read holds want.
func (d *dialogue) until(end, want string) error {
	var b bytes.Buffer
	for {
		c, err := d.r.ReadByte()
		if err != nil {
			return fmt.Errorf("%s: waiting for %q: %w", d.protocol, want, err)
		}
		b.WriteByte(c)
		if bytes.HasSuffix(b.Bytes(), []byte(end)) {
			if strings.Contains(b.String(), want) {
				return nil
			}
			return fmt.Errorf("%s: %w", d.protocol, ErrNotOffered)
		}
	}
}

// ldap sends the extended request 1.3.6.1.4.1.1466.20037.
func (d *dialogue) ldap() error {
	request := append([]byte{0x30, 0x1D, 0x02, 0x01, 0x01, 0x77, 0x18, 0x80, 0x16}, "1.3.6.1.4.1.1466.20037"...)
	if _, err := d.w.Write(request); err != nil {
		return err
	}
	head := make([]byte, 2)
	if _, err := io.ReadFull(d.r, head); err != nil {
		return fmt.Errorf("ldap: %w", err)
	}
	n := int(head[1])
	if n&0x80 != 0 { // BER long form
		more := make([]byte, n&0x7F)
		if len(more) > 3 {
			return fmt.Errorf("ldap: %w: its answer claims an impossible length", ErrNotOffered)
		}
		if _, err := io.ReadFull(d.r, more); err != nil {
			return fmt.Errorf("ldap: %w", err)
		}
		n = 0
		for _, b := range more {
			n = n<<8 | int(b)
		}
	}
	if head[0] != 0x30 || n > maxPreamble {
		return fmt.Errorf("ldap: %w: its answer is no LDAP message", ErrNotOffered)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(d.r, body); err != nil {
		return fmt.Errorf("ldap: %w", err)
	}
	if !bytes.Contains(body, []byte{0x0A, 0x01, 0x00}) { // resultCode success
		return fmt.Errorf("ldap: %w", ErrNotOffered)
	}
	return nil
}

func (d *dialogue) postgres() error {
	if _, err := d.w.Write([]byte{0, 0, 0, 8, 4, 210, 22, 47}); err != nil { // length 8, code 80877103
		return err
	}
	c, err := d.r.ReadByte()
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	if c != 'S' {
		return fmt.Errorf("postgres: %w", ErrNotOffered)
	}
	return nil
}

func (d *dialogue) mysql() error {
	head := make([]byte, 4)
	if _, err := io.ReadFull(d.r, head); err != nil {
		return fmt.Errorf("mysql: %w", err)
	}
	n := int(head[0]) | int(head[1])<<8 | int(head[2])<<16
	if n > maxPreamble {
		return fmt.Errorf("mysql: a greeting of %d bytes", n)
	}
	greeting := make([]byte, n)
	if _, err := io.ReadFull(d.r, greeting); err != nil {
		return fmt.Errorf("mysql: %w", err)
	}
	_, rest, ok := bytes.Cut(greeting, []byte{0})
	const clientSSL = 0x0800
	// After the version: thread id (4), first part of the salt (8), a zero, then the capabilities.
	if !ok || len(rest) < 15 || binary.LittleEndian.Uint16(rest[13:])&clientSSL == 0 {
		return fmt.Errorf("mysql: %w", ErrNotOffered)
	}
	request := make([]byte, 4+32)
	request[0], request[3] = 32, head[3]+1
	binary.LittleEndian.PutUint32(request[4:], 0x0200|clientSSL|0x8000) // protocol 4.1, SSL, secure connection
	binary.LittleEndian.PutUint32(request[8:], 1<<24)
	request[12] = 45 // utf8mb4
	_, err := d.w.Write(request)
	return err
}
