package testbed

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// Client is a real client. It connects, verifies the certificate, sends an HTTP request and waits for the
// answer: what it calls a success is one for its user too.
type Client struct {
	Name string
	// Accepts are the client's demands that its hello does not show: its restrictions, said explicitly.
	Accepts hello.Rules
	missing string // what is not installed, "" if all is
	command func(Target) command
	dial    func(context.Context, Target) Result
}

// Target is where a client connects and what it is told of the server.
type Target struct {
	Addr       string // host:port
	ServerName string
	CA         string // PEM of the roots to trust
}

// Result is what a client tells of its connection.
type Result struct {
	OK      bool
	Version suite.Version // 0 where the client does not say
	Suite   suite.Code    // 0 where the client does not say
	Output  string        // everything it printed
}

// command is how a client program is run.
type command struct {
	name  string
	args  []string
	env   []string
	stdin string
	// done appears in the output of a client that has its answer but does not end by itself.
	done *regexp.Regexp
	// negotiated reads version and suite from the output; nil where the program does not tell.
	negotiated func(output string) (version, suite string)
}

// Missing names what is not installed of the client, "" if it can run.
func (c *Client) Missing() string { return c.missing }

// Connect runs the client once. The time it may take is bounded by ctx.
func (c *Client) Connect(ctx context.Context, at Target) Result {
	if c.dial != nil {
		return c.dial(ctx, at)
	}
	return c.command(at).run(ctx)
}

func (k command) run(ctx context.Context) Result {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, k.name, k.args...)
	cmd.WaitDelay = time.Second
	// A proxy would stand between the client and the server of the test.
	cmd.Env = append(os.Environ(), "http_proxy=", "https_proxy=", "HTTPS_PROXY=", "all_proxy=", "ALL_PROXY=", "no_proxy=*", "LC_ALL=C")
	cmd.Env = append(cmd.Env, k.env...)
	out := &marked{done: k.done, cancel: cancel}
	cmd.Stdout, cmd.Stderr = out, out
	if k.stdin != "" {
		// The input stays open: at its end some clients leave without waiting for the answer.
		in, err := cmd.StdinPipe()
		if err != nil {
			return Result{Output: err.Error()}
		}
		defer in.Close()
		io.WriteString(in, k.stdin)
	}
	err := cmd.Run()
	text := out.String()
	r := Result{OK: err == nil && k.done == nil || out.seen, Output: text}
	if !r.OK && err != nil {
		r.Output += "\n" + err.Error()
	}
	if r.OK && k.negotiated != nil {
		v, s := k.negotiated(text)
		r.Version, _ = suite.ParseVersion(v)
		if known := suite.ByName(s); known != nil {
			r.Suite = known.Code
		}
	}
	return r
}

// marked collects output and ends the program when the mark appears.
type marked struct {
	lockedBuffer
	done   *regexp.Regexp
	cancel func()
	seen   bool
}

func (m *marked) Write(p []byte) (int, error) {
	n, err := m.lockedBuffer.Write(p)
	if m.done != nil && !m.seen && m.done.MatchString(m.String()) {
		m.seen = true
		m.cancel()
	}
	return n, err
}

// field returns what follows key on the first line that has it, up to the end of the line.
func field(output, key string) string {
	_, rest, _ := strings.Cut(output, key)
	line, _, _ := strings.Cut(rest, "\n")
	return strings.Trim(line, " :\r")
}

// afterOK reads the line "OK VERSION SUITE" that the programs of this package print.
func afterOK(output string) (string, string) {
	f := strings.Fields(field(output, "OK "))
	if len(f) < 2 {
		return "", ""
	}
	return f[0], strings.Replace(f[1], "SSL_", "TLS_", 1)
}

const request = "GET / HTTP/1.0\r\n\r\n"

// answered is in the answer of every server of the test bed.
var answered = regexp.MustCompile(`HTTP/1\.[01] 200`)

func hostPort(at Target) (host, port string) {
	host, port, err := net.SplitHostPort(at.Addr)
	if err != nil {
		panic(fmt.Sprintf("testbed: address %q: want host:port", at.Addr))
	}
	return host, port
}

// need marks the client as missing if a program is not installed.
func (c *Client) need(names ...string) *Client {
	for _, n := range names {
		if !Have(n) {
			c.missing = n
		}
	}
	return c
}

// Clients returns the real clients, those that are not installed included: ask Missing.
func Clients(t testing.TB) []*Client {
	t.Helper()
	var l []*Client
	l = append(l, nodeClients(t)...)
	l = append(l, opensslClients()...)
	l = append(l, gnutlsClients()...)
	l = append(l, javaClients(t)...)
	l = append(l, goClients()...)
	return append(l, scriptClients(t)...)
}
