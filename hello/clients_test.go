package hello

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/hex"
	"flag"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/suite"
)

var recordFlag = flag.Bool("record", false, "write the hellos of the real clients on this machine to testdata/clients")

// realClient is one line of testdata/clients.tsv.
type realClient struct {
	name string
	argv []string
}

func realClients(t testing.TB) []realClient {
	t.Helper()
	text, err := os.ReadFile("testdata/clients.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var out []realClient
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, command, ok := strings.Cut(line, "\t")
		if !ok {
			t.Fatalf("clients.tsv: no command: %q", line)
		}
		out = append(out, realClient{name, strings.Fields(command)})
	}
	return out
}

// hello runs the client against a listener and returns the bytes it sends first.
func (c realClient) hello(t *testing.T) []byte {
	t.Helper()
	dir, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	peers, err := filepath.Abs("../.peers")
	if err != nil {
		t.Fatal(err)
	}
	return firstBytes(t, func(ctx context.Context, addr string) {
		host, port, _ := net.SplitHostPort(addr)
		r := strings.NewReplacer("ADDR", addr, "HOST", host, "PORT", port, "DIR", dir, "PEERS", peers)
		args := make([]string, len(c.argv))
		for i, a := range c.argv {
			args[i] = r.Replace(a)
		}
		need(t, args[0])
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		// Standard input stays open: openssl s_client ends with it.
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		cmd.WaitDelay = time.Second
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Wait() })
	})
}

// firstBytes listens once on loopback and returns what the client that start starts sends before it waits
// for an answer: a whole hello, where it is one.
func firstBytes(t *testing.T, start func(ctx context.Context, addr string)) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	l.(*net.TCPListener).SetDeadline(time.Now().Add(20 * time.Second))
	start(ctx, l.Addr().String())
	c, err := l.Accept()
	if err != nil {
		cancel()
		t.Fatalf("the client does not connect: %v", err)
	}
	defer c.Close()
	defer cancel()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	var all []byte
	buf := make([]byte, 1<<14)
	for {
		n, err := c.Read(buf)
		all = append(all, buf[:n]...)
		if _, perr := ParseClientHello(all); perr == nil || err != nil {
			return all
		}
	}
}

// need skips a test whose peer is missing; in CI that is a failure.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is missing: run make peers", program)
		}
		t.Skipf("%s is missing: run make peers", program)
	}
}

// TestRealClients runs every client of clients.tsv that is here and demands that its hello comes back as
// the same bytes.
func TestRealClients(t *testing.T) {
	for _, c := range realClients(t) {
		t.Run(c.name, func(t *testing.T) {
			raw := c.hello(t)
			h := roundTrip(t, raw)
			if o := h.Offer(); o.WireSize != len(raw) {
				t.Errorf("wire size %d of %d bytes", o.WireSize, len(raw))
			}
			if *recordFlag {
				writeHex(t, c.name, raw)
			}
		})
	}
	t.Run("go", func(t *testing.T) {
		raw := firstBytes(t, func(_ context.Context, addr string) {
			go tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, ServerName: "lb.example.com", NextProtos: []string{"h2"}})
		})
		roundTrip(t, raw)
		if *recordFlag {
			writeHex(t, "go-1.26", raw)
		}
	})
}

func writeHex(t *testing.T, name string, raw []byte) {
	t.Helper()
	var b strings.Builder
	for line := range slices.Chunk(raw, 48) {
		b.WriteString(hex.EncodeToString(line) + "\n")
	}
	if err := os.WriteFile(filepath.Join("testdata", "clients", name+".hex"), []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// corpus returns the recorded hellos by name.
func corpus(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/clients/*.hex")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recorded hellos: %v", err)
	}
	out := make(map[string][]byte)
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		out[strings.TrimSuffix(filepath.Base(f), ".hex")] = raw
	}
	return out
}

// roundTrip parses raw and demands the same bytes back, from the hello and from its copy.
func roundTrip(t *testing.T, raw []byte) *ClientHello {
	t.Helper()
	h, err := ParseClientHello(raw)
	if err != nil {
		t.Fatalf("%v\n% x", err, raw)
	}
	for _, x := range []*ClientHello{h, h.Clone()} {
		out, err := x.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(out, raw) {
			t.Fatalf("not the same bytes\n got % x\nwant % x", out, raw)
		}
	}
	return h
}

// TestCorpus holds for the recorded hellos, on every machine.
func TestCorpus(t *testing.T) {
	for name, raw := range corpus(t) {
		h := roundTrip(t, raw)
		if h.WireSize() != len(raw) {
			t.Errorf("%s: wire size %d of %d bytes", name, h.WireSize(), len(raw))
		}
		for n := range len(raw) {
			if _, err := ParseClientHello(raw[:n]); err == nil {
				t.Errorf("%s: %d of %d bytes are taken for a whole hello", name, n, len(raw))
			}
		}
		if h.SSLv2Format {
			continue
		}
		msg, err := h.MarshalHandshake()
		if err != nil {
			t.Fatal(err)
		}
		bare, err := ParseClientHello(msg)
		if err != nil {
			t.Errorf("%s: as a bare message: %v", name, err)
			continue
		}
		if again, err := bare.MarshalHandshake(); err != nil || !bytes.Equal(again, msg) {
			t.Errorf("%s: as a bare message it does not come back: %v", name, err)
		}
		// In records of 7 bytes, the last shorter, of another version than the first.
		var cut []byte
		for i, piece := range slices.Collect(slices.Chunk(msg, 7)) {
			cut = AppendRecords(cut, RecordHandshake, h.RecordVersion+suite.Version(i%2), piece)
		}
		roundTrip(t, cut)
	}
}
