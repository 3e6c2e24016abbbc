package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// nameServer answers every question for an address with 127.0.0.1, after a while, and makes it the one that is asked.
// It returns a function that says how many questions were open at once at most.
func nameServer(t *testing.T, delay time.Duration) (most func() int) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	before := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
	t.Cleanup(func() {
		net.DefaultResolver = before
		conn.Close()
	})
	var mu sync.Mutex
	open, peak := 0, 0
	count := func(n int) {
		mu.Lock()
		defer mu.Unlock()
		open += n
		peak = max(peak, open)
	}
	go func() {
		buf := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			q := m.Questions[0]
			m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
			if q.Type == dnsmessage.TypeA {
				count(1)
				m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 60}, Body: &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}}}}
			}
			time.AfterFunc(delay, func() {
				if q.Type == dnsmessage.TypeA {
					count(-1)
				}
				if raw, err := m.Pack(); err == nil {
					conn.WriteTo(raw, from)
				}
			})
		}
	}()
	return func() int {
		mu.Lock()
		defer mu.Unlock()
		return peak
	}
}

// TestLookupsSideBySide: names are looked up ahead of the scanning, so many at once and no more, and in their order.
func TestLookupsSideBySide(t *testing.T) {
	most := nameServer(t, 100*time.Millisecond)
	var want []string
	for i := range 100 {
		want = append(want, fmt.Sprintf("host%d.example.com:1", i))
	}
	s := &scanner{flags: &scanFlags{}, targets: &targets{args: slices.Clone(want), flags: &scanFlags{}}}
	var got []string
	start := time.Now()
	s.feed(t.Context(), func(a address) {
		got = append(got, a.Name)
		if a.Address != "127.0.0.1:1" || a.lookupErr != nil {
			t.Errorf("%s: %q, %v", a.Name, a.Address, a.lookupErr)
		}
	}, func(err error) { t.Error(err) })
	if d := time.Since(start); d > 3*time.Second {
		t.Errorf("100 names of 100 ms each took %v", d)
	}
	if !slices.Equal(got, want) {
		t.Errorf("in the order %q", got)
	}
	if n := most(); n > maxLookups+1 || n < 8 {
		t.Errorf("%d look-ups at once", n)
	}
}

// TestLookupInTime: --timeout holds for looking names up too.
func TestLookupInTime(t *testing.T) {
	nameServer(t, time.Minute)
	start := time.Now()
	out, code := scanOutput(t, "lb.example.com", "--timeout", "300ms", "--json")
	if d := time.Since(start); code != exitUndecided || d > 2*time.Second || !strings.Contains(out, "no name server answers") {
		t.Errorf("exit code %d after %v: %s", code, d, out)
	}
	validate(t, out)
}

// TestLookupInTimeElsewhere: it does for the commands that ask one endpoint.
func TestLookupInTimeElsewhere(t *testing.T) {
	nameServer(t, time.Minute)
	for _, command := range []string{"why lb.example.com --client go-1.26", "why lb.example.com", "connect lb.example.com", "policy match lb.example.com"} {
		root := newRoot()
		root.SetOut(io.Discard)
		root.SetErr(io.Discard)
		root.SetArgs(append(strings.Fields(command), "--timeout", "300ms"))
		start := time.Now()
		err := root.Execute()
		if d := time.Since(start); err == nil || d > 2*time.Second {
			t.Errorf("%s: %v after %v", command, err, d)
		}
	}
}

// TestScanDefaultPort: the port follows the protocol where a target names none.
func TestScanDefaultPort(t *testing.T) {
	for _, c := range []struct{ target, startTLS, port, protocol string }{
		{"h.example.com", "", "443", ""},
		{"h.example.com", "none", "443", ""},
		{"h.example.com", "smtp", "25", "smtp"},
		{"192.0.2.1", "imap", "143", "imap"},
		{"2001:db8::1", "ldap", "389", "ldap"},
		{"[2001:db8::1]", "postgres", "5432", "postgres"},
		{"h.example.com:2525", "smtp", "2525", "smtp"},
		{"https://h.example.com/", "xmpp", "443", "xmpp"},
		{"h.example.com:25", "", "25", "smtp"},
		{"h.example.com:25", "none", "25", ""},
	} {
		e, err := parseScanEndpoint(c.target, &scanFlags{startTLS: c.startTLS})
		if err != nil || e.Port != c.port || string(e.StartTLS) != c.protocol {
			t.Errorf("%s with --starttls %q: port %s, %q, %v", c.target, c.startTLS, e.Port, e.StartTLS, err)
		}
	}
}

// TestScanClientCertificate: what lies behind a request for a client certificate is learnt with one, not without.
func TestScanClientCertificate(t *testing.T) {
	servers := liveServers(t)
	for _, c := range []struct {
		args string
		want []string
	}{
		{"$MUTUAL", []string{`"required": {"state":"yes"}`, `"resumes": {"state":"not-tested","why":"the endpoint wants a client certificate"}`, `"name": "Ticketbleed","cve": "CVE-2016-9244","verdict": "unsure"`}},
		{"$MUTUAL --client-cert $CLIENT_CERT --client-key $CLIENT_KEY", []string{`"accepted": {"state":"yes"}`, `"required": {"state":"yes"}`, `"resumes": {"state":"yes"}`, `"name": "Ticketbleed","cve": "CVE-2016-9244","verdict": "not-vulnerable"`}},
		{"$MUTUAL --client-cert $OTHER_CERT --client-key $OTHER_KEY", []string{`"accepted": {"state":"no"}`, `"required": {"state":"yes"}`}},
		{"$STRICT --client-cert $CLIENT_CERT --client-key $CLIENT_KEY", []string{`"accepted": {"state":"not-tested"`, `"required": {"state":"not-applicable"`}},
	} {
		args := strings.Fields(c.args)
		for i := range args {
			for name, value := range servers {
				if args[i] == "$"+name {
					args[i] = value
				}
			}
		}
		out, code := scanOutput(t, append(args, "--json", "--sni", servers["NAME"])...)
		validate(t, out)
		compact := strings.NewReplacer("\n", "", "  ", "").Replace(out)
		compact = strings.ReplaceAll(strings.ReplaceAll(compact, `"state": "`, `"state":"`), `"why": "`, `"why":"`)
		for _, w := range c.want {
			if code != exitGood || !strings.Contains(compact, w) {
				t.Errorf("%s: exit code %d, no %s in\n%s", c.args, code, w, out)
			}
		}
	}
}
