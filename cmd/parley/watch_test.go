package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/parley-tls/parley/capture"
	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/evidence"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// mixedCapture is a capture of real hellos of known clients, each refused or left without an answer.
func mixedCapture(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mixed.pcap")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := testbed.NewPcap(f, time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC))
	server := netip.MustParseAddrPort("198.51.100.1:443")
	n := uint16(0)
	for _, answer := range []testbed.Turn{{Data: hello.MarshalAlert(suite.TLS10, true, suite.AlertProtocolVersion)}, {Data: hello.MarshalAlert(suite.TLS12, true, suite.AlertHandshakeFailure)},
		{Reset: true}, {Close: true}, {Data: []byte("HTTP/1.1 400 Bad Request\r\n\r\n")}} {
		for _, name := range []string{"java-7u25", "curl-7.88", "nodejs-0.10", "openssl-1.0.1", "chrome-140"} {
			p := client.ByName(name)
			if p == nil || p.Hello() == nil {
				continue
			}
			n++
			d := testbed.NewDialogue(netip.AddrPortFrom(netip.MustParseAddr("192.0.2.7"), 30000+n), server)
			d.Say(testbed.Turn{FromClient: true, Data: p.Hello()}, answer)
			w.Write(d.Frames...)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return path
}

// ran is what a command prints to standard output, and to the other.
func ran(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	root := newRoot()
	var out, errs bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&errs)
	root.SetArgs(args)
	err = root.Execute()
	return out.String(), errs.String(), err
}

// valid checks each line of text, or all of it, against a schema.
func valid(t *testing.T, schema, text string, lines bool) {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile("../../docs/schema/" + schema + ".schema.json")
	if err != nil {
		t.Fatal(err)
	}
	docs := []string{text}
	if lines {
		docs = strings.Split(strings.TrimSpace(text), "\n")
	}
	for _, l := range docs {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(l))
		if err == nil {
			err = s.Validate(doc)
		}
		if err != nil {
			t.Errorf("%v\n%.400s", err, l)
		}
	}
}

func TestWatchJSON(t *testing.T) {
	file := mixedCapture(t)
	text, _, err := ran(t, "watch", "--json", file)
	if err == nil {
		t.Error("failed negotiations, and exit code 0")
	}
	valid(t, "watch", text, false)
	text, _, _ = ran(t, "watch", "--json-lines", file)
	valid(t, "negotiation", text, true)
	text, _, _ = ran(t, "watch", "--json", "testdata/hello-two.pcapng")
	valid(t, "watch", text, false)
}

// TestWatchWrites takes what the command writes back into others: the evidence, a hello, and the command that it names.
func TestWatchWrites(t *testing.T) {
	file, dir := mixedCapture(t), t.TempDir()
	text, _, _ := ran(t, "watch", "--json", file, "--evidence", filepath.Join(dir, "evidence"), "--save-clients", filepath.Join(dir, "clients"))
	f, err := os.Open(filepath.Join(dir, "evidence"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	clients, err := evidence.Read(f)
	if err != nil || len(clients) < 3 {
		t.Fatalf("%d clients: %v", len(clients), err)
	}
	for _, c := range clients {
		if c.Failures() != c.Connections {
			t.Errorf("%s: %d of %d failed", c.JA4, c.Failures(), c.Connections)
		}
	}
	saved, err := filepath.Glob(filepath.Join(dir, "clients", "*.hex"))
	if err != nil || len(saved) < 3 {
		t.Fatalf("%d hellos are saved: %v", len(saved), err)
	}
	want := map[string]bool{}
	var r struct {
		Groups []struct {
			JA4      string `json:"ja4"`
			Failures []struct {
				Packet int `json:"packet"`
				Causes []struct {
					Decide string `json:"decide"`
				} `json:"causes"`
			} `json:"failures"`
		} `json:"groups"`
	}
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	for _, g := range r.Groups {
		want[g.JA4] = true
	}
	const policy = "policy:ELBSecurityPolicy-2016-08"
	for _, s := range saved {
		if text, _, err := ran(t, "why", policy, "--client", s, "--json"); !strings.Contains(text, strings.TrimSuffix(filepath.Base(s), ".hex")) {
			t.Errorf("parley why --client %s: %v", s, err)
		}
	}
	// Without a folder the command names the packet.
	text, _, _ = ran(t, "watch", "--json", file)
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, g := range r.Groups {
		for _, x := range g.Failures {
			if len(x.Causes) == 0 || x.Causes[0].Decide == "" {
				continue
			}
			_, who, ok := strings.Cut(x.Causes[0].Decide, "--client ")
			if !ok {
				t.Errorf("no client in %q", x.Causes[0].Decide)
				continue
			}
			tried++
			who = strings.Trim(who, "'")
			if text, _, err := ran(t, "why", policy, "--client", who, "--json"); !strings.Contains(text, g.JA4) {
				t.Errorf("parley why --client %s: %v", who, err)
			}
		}
	}
	if tried == 0 {
		t.Error("no failure is left open")
	}
}

// TestWatchSavesTheMostFrequent: of hellos with one fingerprint, that which fails most is saved.
func TestWatchSavesTheMostFrequent(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "two.pcap")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := testbed.NewPcap(f, time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC))
	for i, server := range []string{"198.51.100.2:443", "198.51.100.2:443", "198.51.100.1:443"} { // the one that fails less has the lower address
		o := *client.ByName("nodejs-12").Offer()
		o.ServerName = "often.example.com"
		if i == 2 {
			o.ServerName = "once.example.com"
		}
		h, err := hello.Build(&o, strings.NewReader(strings.Repeat("random", 100)))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := h.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		d := testbed.NewDialogue(netip.AddrPortFrom(netip.MustParseAddr("192.0.2.7"), 30000+uint16(i)), netip.MustParseAddrPort(server))
		d.Say(testbed.Turn{FromClient: true, Data: raw}, testbed.Turn{Data: hello.MarshalAlert(suite.TLS12, true, suite.AlertHandshakeFailure)})
		w.Write(d.Frames...)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	ran(t, "watch", path, "--save-clients", filepath.Join(dir, "clients"))
	saved, err := filepath.Glob(filepath.Join(dir, "clients", "*.hex"))
	if err != nil || len(saved) != 1 {
		t.Fatalf("saved: %q %v", saved, err)
	}
	found, err := capture.ReadFile(saved[0])
	if err != nil || len(found) != 1 || found[0].Hello.Offer().ServerName != "often.example.com" {
		t.Errorf("%v %+v", err, found)
	}
}

// TestWatchInterrupted reads a pipe that stays open: an interrupt ends it, and the report comes.
func TestWatchInterrupted(t *testing.T) {
	b, err := os.ReadFile(mixedCapture(t))
	if err != nil {
		t.Fatal(err)
	}
	r, w := io.Pipe()
	defer w.Close()
	ctx, interrupt := context.WithCancel(t.Context())
	root := newRoot()
	var out bytes.Buffer
	root.SetIn(r)
	root.SetOut(&out)
	root.SetErr(io.Discard)
	root.SetArgs([]string{"watch", "-"})
	done := make(chan error, 1)
	go func() { done <- root.ExecuteContext(ctx) }()
	w.Write(b)
	interrupt()
	select {
	case err := <-done:
		if err == nil || !strings.Contains(out.String(), "standard input: ") || !strings.Contains(out.String(), "failed") {
			t.Errorf("%v\n%s", err, out.String())
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it goes on reading")
	}
}

func TestWatchDamaged(t *testing.T) {
	b, err := os.ReadFile(mixedCapture(t))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "cut.pcap")
	if err := os.WriteFile(file, b[:len(b)-10], 0o644); err != nil {
		t.Fatal(err)
	}
	out, errs, _ := ran(t, "watch", file)
	if strings.Count(errs, "\n") != 1 || !strings.Contains(errs, "at byte") || !strings.Contains(out, "protocol_version") {
		t.Errorf("%s\n%s", errs, out)
	}
}
