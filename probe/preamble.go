package probe

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// ErrNotOffered is returned where a server speaks the protocol but does not offer the upgrade.
var ErrNotOffered = errors.New("the server does not offer STARTTLS")

// maxPreamble bounds what a server may say before TLS.
const maxPreamble = 16 << 10

var errPreambleTooLong = fmt.Errorf("more than %d bytes before TLS", maxPreamble)

// Negotiate speaks the preamble on conn, up to the point at which a ClientHello may be sent. The deadline
// is the caller's. host is the name that the server is addressed by.
func (p StartTLS) Negotiate(conn net.Conn, host string) error {
	limit := &io.LimitedReader{R: conn, N: maxPreamble}
	d := dialogue{r: bufio.NewReaderSize(oneByte{limit}, 16), w: conn, protocol: p}
	err := d.negotiate(host)
	switch {
	case err == nil:
		return nil
	case limit.N <= 0:
		err = errPreambleTooLong
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = errors.New("the server closes the connection before TLS")
	}
	return fmt.Errorf("%s: %w", p, err)
}

// oneByte makes every read a single byte: nothing that belongs to TLS may be read here.
type oneByte struct{ r io.Reader }

func (o oneByte) Read(b []byte) (int, error) {
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

func (d *dialogue) negotiate(host string) error {
	switch d.protocol {
	case SMTP:
		return d.lines("220", "EHLO parley.invalid\r\n", "250", "STARTTLS\r\n", "220")
	case IMAP:
		return d.lines("* ", "a STARTTLS\r\n", "a OK")
	case POP3:
		return d.lines("+OK", "STLS\r\n", "+OK")
	case FTP:
		return d.lines("220", "AUTH TLS\r\n", "234")
	case NNTP:
		return d.lines("20", "STARTTLS\r\n", "382")
	case XMPP:
		return d.xmpp(host)
	case LDAP:
		return d.ldap()
	case Postgres:
		return d.postgres()
	case MySQL:
		return d.mysql()
	}
	return errors.New("unknown STARTTLS protocol")
}

// lines waits for a reply that begins with the first word, says the second, and so on.
func (d *dialogue) lines(steps ...string) error {
	for i, s := range steps {
		if i%2 == 1 {
			if _, err := io.WriteString(d.w, s); err != nil {
				return err
			}
			continue
		}
		reply, err := d.reply()
		// An IMAP server may say things on its own before it answers a command (RFC 3501 section 2.2.2).
		for err == nil && d.protocol == IMAP && i > 0 && strings.HasPrefix(reply, "* ") {
			reply, err = d.reply()
		}
		if err != nil {
			return fmt.Errorf("waiting for %q: %w", s, err)
		}
		if !strings.HasPrefix(reply, s) {
			return refusal(reply)
		}
	}
	return nil
}

// reply reads one reply and returns its last line. A number with a dash begins a reply of several lines, which
// ends with the same number without one; what stands between is free text in FTP (RFC 959 section 4.2).
func (d *dialogue) reply() (string, error) {
	line, err := d.line()
	if err != nil || d.protocol != SMTP && d.protocol != FTP || len(line) < 4 || line[3] != '-' {
		return line, err
	}
	for code := line[:3]; err == nil; {
		if line, err = d.line(); line == code || strings.HasPrefix(line, code+" ") {
			break
		}
	}
	return line, err
}

func (d *dialogue) line() (string, error) {
	line, err := d.r.ReadString('\n')
	return strings.TrimRight(line, "\r\n"), err
}

// refusal is the error for an answer that does not grant the upgrade. What the server says is quoted, so that
// it stays one short line whatever it holds.
func refusal(answer string) error {
	const enough = 80
	dots := ""
	if len(answer) > enough {
		answer, dots = answer[:enough], " …"
	}
	return fmt.Errorf("%w: it says %q%s", ErrNotOffered, answer, dots)
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

// until reads up to the first end, and demands that what was read holds want. An error of the stream (RFC 6120
// section 4.9) ends it too.
func (d *dialogue) until(end, want string) error {
	var b bytes.Buffer
	for !bytes.HasSuffix(b.Bytes(), []byte(end)) {
		c, err := d.r.ReadByte()
		if err != nil {
			return fmt.Errorf("waiting for %q: %w", want, err)
		}
		b.WriteByte(c)
		if c == '>' && bytes.HasSuffix(b.Bytes(), []byte("</stream:error>")) {
			_, text, _ := strings.Cut(b.String(), "<stream:error>")
			return refusal(text)
		}
	}
	if !strings.Contains(b.String(), want) {
		return refusal(b.String())
	}
	return nil
}

// ldap sends the extended request 1.3.6.1.4.1.1466.20037 (RFC 4511 section 4.14.1).
func (d *dialogue) ldap() error {
	request := append([]byte{0x30, 0x1D, 0x02, 0x01, 0x01, 0x77, 0x18, 0x80, 0x16}, "1.3.6.1.4.1.1466.20037"...)
	if _, err := d.w.Write(request); err != nil {
		return err
	}
	tag, message, err := element(d.r)
	if err != nil {
		return err
	}
	if tag != tagSequence {
		return fmt.Errorf("%w: its answer is no LDAP message", ErrNotOffered)
	}
	body := bytes.NewReader(message)
	element(body) // the message id
	tag, response, err := element(body)
	if err != nil || tag != tagExtendedResponse {
		return fmt.Errorf("%w: its answer is no extended response", ErrNotOffered)
	}
	tag, result, err := element(bytes.NewReader(response))
	switch {
	case err != nil || tag != tagEnumerated || len(result) != 1:
		return fmt.Errorf("%w: its answer has no result code", ErrNotOffered)
	case result[0] != 0:
		return fmt.Errorf("%w: result code %d", ErrNotOffered, result[0])
	}
	return nil
}

// Tags of LDAP messages (RFC 4511 sections 4.1.1 and 4.12).
const (
	tagEnumerated       = 0x0A
	tagSequence         = 0x30
	tagExtendedResponse = 0x78
)

// element reads one BER element. Active Directory writes every length with four bytes, which DER would forbid.
func element(r io.Reader) (tag byte, body []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	n := uint64(head[1])
	if n >= 0x80 {
		more := make([]byte, n&0x7F)
		if len(more) == 0 || len(more) > 4 { // LDAP has no indefinite form (RFC 4511 section 5.1)
			return 0, nil, fmt.Errorf("a length of %d bytes", len(more))
		}
		if _, err := io.ReadFull(r, more); err != nil {
			return 0, nil, err
		}
		n = 0
		for _, b := range more {
			n = n<<8 | uint64(b)
		}
	}
	if n > maxPreamble {
		return 0, nil, errPreambleTooLong
	}
	body = make([]byte, n)
	_, err = io.ReadFull(r, body)
	return head[0], body, err
}

func (d *dialogue) postgres() error {
	if _, err := d.w.Write([]byte{0, 0, 0, 8, 4, 210, 22, 47}); err != nil { // length 8, code 80877103
		return err
	}
	c, err := d.r.ReadByte()
	if err != nil {
		return err
	}
	if c != 'S' {
		return refusal(string(rune(c)))
	}
	return nil
}

// clientSSL is the capability CLIENT_SSL.
const clientSSL = 0x0800

// mysql reads the greeting, protocol 10, and asks for TLS where its capabilities have it.
func (d *dialogue) mysql() error {
	head := make([]byte, 4)
	if _, err := io.ReadFull(d.r, head); err != nil {
		return err
	}
	n := int(head[0]) | int(head[1])<<8 | int(head[2])<<16
	if n > maxPreamble {
		return errPreambleTooLong
	}
	greeting := make([]byte, n)
	if _, err := io.ReadFull(d.r, greeting); err != nil {
		return err
	}
	version, rest, ok := bytes.Cut(greeting, []byte{0})
	if !ok || len(version) == 0 || version[0] != 10 {
		return refusal(string(greeting)) // an error packet: the host is blocked, too many connections
	}
	// After the version: thread id (4), first part of the salt (8), a zero, then the capabilities.
	if len(rest) < 15 || binary.LittleEndian.Uint16(rest[13:])&clientSSL == 0 {
		return ErrNotOffered
	}
	request := make([]byte, 4+32)
	request[0], request[3] = 32, head[3]+1
	binary.LittleEndian.PutUint32(request[4:], 0x0200|clientSSL|0x8000) // protocol 4.1, SSL, secure connection
	binary.LittleEndian.PutUint32(request[8:], 1<<24)
	request[12] = 45 // utf8mb4
	_, err := d.w.Write(request)
	return err
}
