package probe

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/testbed"
)

// listen serves every connection with serve until the test ends, and returns the address.
func listen(t testing.TB, serve func(*net.TCPConn)) string {
	t.Helper()
	return testbed.Listen(t, 30*time.Second, func(c net.Conn) { serve(c.(*net.TCPConn)) })
}

// session is the server's side of a plaintext protocol. turns counts how often it waited for the client.
type session struct {
	net.Conn
	r     *bufio.Reader
	turns int
}

// Read gives what the plaintext dialogue has read ahead before what comes next.
func (s *session) Read(b []byte) (int, error) { return s.r.Read(b) }

func (s *session) say(text string) { io.WriteString(s.Conn, text) }

// hear returns the client's next line, "" at its end.
func (s *session) hear() string {
	s.turns++
	line, _ := s.r.ReadString('\n')
	return strings.TrimRight(line, "\r\n")
}

func (s *session) bytes(n int) []byte {
	s.turns++
	b := make([]byte, n)
	if _, err := io.ReadFull(s.r, b); err != nil {
		return nil
	}
	return b
}

// services are faithful servers of the protocols that begin in plaintext. Each returns true when the client may
// send its ClientHello.
var services = map[StartTLS]func(*session) bool{
	SMTP: func(s *session) bool { // RFC 5321, RFC 3207
		s.say("220-mail.example.com ESMTP\r\n220 no mail from strangers\r\n")
		for {
			switch verb, _, _ := strings.Cut(s.hear(), " "); verb {
			case "EHLO":
				s.say("250-mail.example.com\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 8BITMIME\r\n")
			case "STARTTLS":
				s.say("220 2.0.0 go ahead\r\n")
				return true
			case "":
				return false
			default:
				s.say("500 5.5.2 unrecognized\r\n")
			}
		}
	},
	IMAP: func(s *session) bool { // RFC 3501
		s.say("* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready\r\n")
		for {
			tag, command, ok := strings.Cut(s.hear(), " ")
			switch {
			case !ok:
				return false
			case command == "CAPABILITY":
				s.say("* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\n" + tag + " OK done\r\n")
			case command == "STARTTLS":
				s.say("* OK [ALERT] it will snow\r\n" + tag + " OK begin TLS\r\n")
				return true
			default:
				s.say(tag + " BAD unknown\r\n")
			}
		}
	},
	POP3: func(s *session) bool { // RFC 1939, RFC 2595
		s.say("+OK POP3 ready\r\n")
		if s.hear() != "STLS" {
			s.say("-ERR\r\n")
			return false
		}
		s.say("+OK begin TLS\r\n")
		return true
	},
	FTP: func(s *session) bool { // RFC 959, RFC 4217
		s.say("220 FTP ready\r\n")
		for {
			switch line := s.hear(); line {
			case "AUTH TLS":
				s.say("234 go ahead\r\n")
				return true
			case "":
				return false
			default:
				s.say("530 log in first\r\n")
			}
		}
	},
	NNTP: func(s *session) bool { // RFC 3977, RFC 4642
		s.say("201 news.example.com, no posting\r\n")
		for {
			switch s.hear() {
			case "CAPABILITIES":
				s.say("101 these:\r\nVERSION 2\r\nSTARTTLS\r\n.\r\n")
			case "STARTTLS":
				s.say("382 continue\r\n")
				return true
			case "":
				return false
			default:
				s.say("500 unknown\r\n")
			}
		}
	},
	LDAP: func(s *session) bool { // RFC 4511
		head := s.bytes(2)
		if head == nil || head[0] != 0x30 {
			return false
		}
		request := s.bytes(int(head[1]))
		s.turns-- // of one message
		if !strings.Contains(string(request), "1.3.6.1.4.1.1466.20037") {
			return false
		}
		// Lengths of four bytes, as Active Directory writes them.
		s.say("\x30\x84\x00\x00\x00\x10\x02\x01\x01\x78\x84\x00\x00\x00\x07\x0A\x01\x00\x04\x00\x04\x00")
		return true
	},
	XMPP: func(s *session) bool { // RFC 6120 section 5
		tag := func() string { s.turns++; t, _ := s.r.ReadString('>'); return t }
		open := tag()
		if strings.HasPrefix(open, "<?xml") {
			s.turns--
			open = tag()
		}
		if !strings.Contains(open, "http://etherx.jabber.org/streams") {
			return false
		}
		s.say("<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='1' from='example.com' version='1.0'>" +
			"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>")
		if !strings.Contains(tag(), "<starttls ") {
			return false
		}
		s.say("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
		return true
	},
	Postgres: func(s *session) bool { // PostgreSQL, Frontend/Backend Protocol, "SSL Session Encryption"
		b := s.bytes(8)
		if b == nil || binary.BigEndian.Uint32(b[4:]) != 80877103 {
			return false
		}
		s.say("S")
		return true
	},
	MySQL: func(s *session) bool { // MySQL, Connection Phase, Protocol::HandshakeV10
		const capabilities = 0x0200 | clientSSL | 0x8000
		greeting := "\x0A8.0.36\x00" + "\x07\x00\x00\x00" + "saltsalt\x00" + string([]byte{capabilities & 0xFF, capabilities >> 8}) +
			"\x2D\x02\x00\x08\x00\x15" + strings.Repeat("\x00", 10) + "moresaltmore\x00" + "caching_sha2_password\x00"
		s.say(string([]byte{byte(len(greeting)), 0, 0, 0}) + greeting)
		b := s.bytes(36) // an SSLRequest is 32 bytes after its header, and has the next number
		return b != nil && b[0] == 32 && b[3] == 1 && binary.LittleEndian.Uint32(b[4:])&clientSSL != 0
	},
}

// serveTLS serves a plaintext protocol that upgrades to TLS. It sends the number of turns of each session to
// turns, if that is not nil.
func serveTLS(t testing.TB, p StartTLS, turns chan<- int) string {
	config := &tls.Config{Certificates: []tls.Certificate{testbed.Make(t, testbed.RSA2048).TLS}}
	return listen(t, func(c *net.TCPConn) {
		s := &session{Conn: c, r: bufio.NewReader(c)}
		granted := services[p](s)
		if turns != nil {
			turns <- s.turns
		}
		if granted && tls.Server(s, config).Handshake() == nil {
			io.Copy(io.Discard, s)
		}
	})
}

// banner is the server that says one thing and listens to no answer.
func banner(t testing.TB, text string) string {
	return listen(t, func(c *net.TCPConn) {
		fmt.Fprint(c, text)
		io.Copy(io.Discard, c)
	})
}
