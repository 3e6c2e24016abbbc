package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// TestStartTLS upgrades in every protocol, and reads TLS from the first byte of it on. The servers are held
// against a client that is not ours: openssl s_client.
func TestStartTLS(t *testing.T) {
	for _, p := range Protocols {
		t.Run(string(p), func(t *testing.T) {
			turns := make(chan int, 8)
			address := serveTLS(t, p, turns)
			o := (&Prober{}).Hello(context.Background(), Target{Address: address, ServerName: "example.com", StartTLS: p}, clientHello(t, suite.TLS12))
			if o.Answer != ServerHello || !o.Complete || o.Version != suite.TLS12 || len(o.Chain) == 0 {
				t.Fatalf("%+v", o)
			}
			waits := <-turns
			if begins := p == SMTP || p == IMAP || p == POP3 || p == FTP || p == NNTP || p == MySQL; begins {
				waits++ // for the greeting
			}
			if p == MySQL {
				waits-- // the ClientHello follows the request at once
			}
			if o.RoundTrips != 1+waits+1 {
				t.Errorf("%d round trips, want %d", o.RoundTrips, 1+waits+1)
			}

			openssl := testbed.Need(t, "openssl")
			cmd := exec.Command(openssl, "s_client", "-connect", address, "-starttls", string(p), "-name", "example.com", "-brief")
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "CONNECTION ESTABLISHED") {
				t.Errorf("openssl s_client against the test's server: %v\n%s", err, out)
			}
		})
	}
}

// TestStartTLSRefused: servers that speak the protocol and do not grant the upgrade, or speak another.
func TestStartTLSRefused(t *testing.T) {
	for _, c := range []struct {
		protocol StartTLS
		says     string
		want     string
	}{
		{SMTP, "554 5.7.1 no service\r\n", `smtp: the server does not offer STARTTLS: it says "554 5.7.1 no service"`},
		{SMTP, "220 mail\r\n250 mail\r\n454 TLS not available\r\n", `it says "454 TLS not available"`},
		{SMTP, "* OK IMAP4rev1\r\n", `it says "* OK IMAP4rev1"`},
		{IMAP, "* OK ready\r\n* CAPABILITY IMAP4rev1\r\na BAD no TLS here\r\n", `it says "a BAD no TLS here"`},
		{POP3, "+OK ready\r\n-ERR unknown command\r\n", `it says "-ERR unknown command"`},
		{FTP, "220 ready\r\n530 log in first\r\n", `it says "530 log in first"`},
		{NNTP, "200 ready\r\n580 cannot initiate TLS\r\n", `it says "580 cannot initiate TLS"`},
		{LDAP, "\x30\x0C\x02\x01\x01\x78\x07\x0A\x01\x02\x04\x00\x04\x00", "result code 2"},
		{LDAP, "\x30\x0C\x02\x01\x01\x61\x07\x0A\x01\x00\x04\x00\x04\x00", "no extended response"},
		{LDAP, "HTTP/1.1 400 Bad Request\r\n" + strings.Repeat("x", 100), "no LDAP message"},
		{LDAP, "\x30\x05\x02\x01\x01\x78\x00", "no result code"},
		{LDAP, "\x30\x80\x02\x01\x01\x00\x00", "a length of 0 bytes"},
		{XMPP, "<stream:stream><stream:features><bind/></stream:features>", "does not offer STARTTLS"},
		{XMPP, "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features><failure/>", `it says "<failure/>"`},
		{XMPP, "<stream:stream from='a'><stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>", `it says "<host-unknown `},
		{Postgres, "N", `it says "N"`},
		{MySQL, "\x17\x00\x00\x00\xFF\x69\x04Host '1' is blocked\x00", "Host '1' is blocked"},
		{MySQL, "\x18\x00\x00\x00\x0A5.5\x00\x01\x00\x00\x00saltsalt\x00\xFF\xF7\x2D\x02\x00\x00", "does not offer STARTTLS"},
	} {
		address := banner(t, c.says)
		o := (&Prober{Timeout: 2 * time.Second}).Hello(context.Background(), Target{Address: address, StartTLS: c.protocol}, clientHello(t, suite.TLS12))
		if o.Answer != PreambleFailed || !strings.Contains(fmt.Sprint(o.Err), c.want) {
			t.Errorf("%s, %q: %s, %v", c.protocol, c.says, o.Answer, o.Err)
		}
	}
}

// TestMultiLineGreetings: free text between the lines of a reply.
func TestMultiLineGreetings(t *testing.T) {
	for protocol, text := range map[StartTLS]string{
		FTP:  "220-Welcome.\r\nNo codes in this line,\r\n 220 and none here\r\n2204 nor here\r\n220-nor here\r\n\r\n220 ready\r\n234 go\r\n",
		SMTP: "220-one\r\n220-two\r\n220\r\n250-a\r\n250-STARTTLS\r\n250 b\r\n220 go\r\n",
	} {
		if err := speak(protocol, text); err != nil {
			t.Errorf("%s: %v", protocol, err)
		}
	}
}

// script is a connection on which a server says the same whatever it hears.
type script struct {
	net.Conn
	io.Reader
	read int
}

func (s *script) Read(b []byte) (int, error) {
	n, err := s.Reader.Read(b)
	s.read += n
	return n, err
}
func (s *script) Write(b []byte) (int, error) { return len(b), nil }

// speak negotiates with a server that says text and then closes.
func speak(p StartTLS, text string) error {
	return p.Negotiate(&script{Reader: strings.NewReader(text)}, "example.com")
}

// TestHostilePreambles: endless lines, a line without an end, NULs, claims of gigabytes, an early end. Each costs
// no more than the limit, and the error is one short line.
func TestHostilePreambles(t *testing.T) {
	endless := map[string]string{
		"continued lines":       "220-more\r\n",
		"lines of another kind": "hello\r\n",
		"untagged lines":        "* OK still here\r\n",
		"one line":              "220 no end ",
		"NULs":                  "\x00",
		"escape sequences":      "\x1b]0;owned\x07\x1b[2J",
		"tags":                  "<x>",
		"BER that nests":        "\x30\x84\x00\x00\x3F\x00",
		"a claim of 4 GB":       "\x30\x84\xFF\xFF\xFF\xFF",
		"a packet of 16 MB":     "\xFF\xFF\xFF\x00",
		"newlines":              "\n",
	}
	for name, unit := range endless {
		for _, p := range Protocols {
			s := &script{Reader: &loop{unit: unit}}
			err := p.Negotiate(s, "example.com")
			switch {
			case err == nil:
				t.Errorf("%s, %s: granted", p, name)
			case s.read > maxPreamble:
				t.Errorf("%s, %s: read %d bytes", p, name, s.read)
			default:
				shortLine(t, err)
			}
		}
	}
	for _, p := range Protocols {
		if err := speak(p, ""); err == nil || !strings.HasSuffix(err.Error(), "the server closes the connection before TLS") {
			t.Errorf("%s, at once closed: %v", p, err)
		}
	}
	if err := SMTP.Negotiate(&script{Reader: &loop{unit: "220-more\r\n"}}, ""); !errors.Is(err, errPreambleTooLong) {
		t.Errorf("endless lines: %v", err)
	}
}

// loop says the same again and again.
type loop struct {
	unit string
	at   int
}

func (l *loop) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = l.unit[l.at]
		l.at = (l.at + 1) % len(l.unit)
	}
	return len(b), nil
}

// shortLine demands an error that can be shown as it is.
func shortLine(t *testing.T, err error) {
	t.Helper()
	text := err.Error()
	if len(text) > 500 || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7F }) {
		t.Errorf("no short line of text: %q", text)
	}
}

// TestSilentPreamble: a server that never greets costs the time limit and no more.
func TestSilentPreamble(t *testing.T) {
	address := listen(t, func(c *net.TCPConn) { io.Copy(io.Discard, c) })
	for _, p := range Protocols {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			o := within(t, 300*time.Millisecond, Target{Address: address, StartTLS: p}, clientHello(t, suite.TLS12))
			if o.Answer != PreambleFailed || o.Err == nil {
				t.Errorf("%s, %v", o.Answer, o.Err)
			}
		})
	}
}

// TestParseStartTLS: names, and what was meant.
func TestParseStartTLS(t *testing.T) {
	if p, err := ParseStartTLS("SMTP"); p != SMTP || err != nil {
		t.Errorf("%q, %v", p, err)
	}
	if _, err := ParseStartTLS("postgre"); err == nil || !strings.Contains(err.Error(), "did you mean postgres?") {
		t.Errorf("%v", err)
	}
	if _, err := ParseStartTLS("gopher7000"); err == nil || !strings.Contains(err.Error(), "use smtp, imap") {
		t.Errorf("%v", err)
	}
	for _, p := range Protocols {
		if services[p] == nil {
			t.Errorf("%s is not tested", p)
		}
	}
}

// TestStartTLSPort: the port that a protocol is upgraded on is one that it is known by.
func TestStartTLSPort(t *testing.T) {
	for _, p := range Protocols {
		if got := StartTLSForPort(p.Port()); got != p {
			t.Errorf("%s: port %d is that of %q", p, p.Port(), got)
		}
	}
	if got := StartTLS("").Port(); got != 443 {
		t.Errorf("without: %d", got)
	}
}

// TestGreetingOnPort: the port tells FTP from SMTP where the greeting does not.
func TestGreetingOnPort(t *testing.T) {
	for _, c := range []struct {
		greeting string
		port     int
		want     StartTLS
	}{
		{"220 Welcome\r\n", 21, FTP}, {"220 Welcome\r\n", 25, SMTP}, {"220 Welcome\r\n", 2121, SMTP}, {"220 mail ESMTP\r\n", 21, SMTP},
		{"220 FTP server\r\n", 25, FTP}, {"421 Go away\r\n", 21, SMTP}, {"* OK\r\n", 21, IMAP}, {"", 21, ""},
	} {
		if got := StartTLSForGreeting([]byte(c.greeting), c.port); got != c.want {
			t.Errorf("%q on %d: %q, want %q", c.greeting, c.port, got, c.want)
		}
	}
}
