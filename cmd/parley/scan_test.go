package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
	"github.com/parley-tls/parley/testbed/vulnerable"
)

var scanSchema = sync.OnceValue(func() *jsonschema.Schema {
	return jsonschema.NewCompiler().MustCompile("../../docs/schema/scan.schema.json")
})

// scanOutput runs the command in this process and returns what it printed and its exit code.
func scanOutput(t *testing.T, args ...string) (stdout string, code int) {
	t.Helper()
	root := newRoot()
	var out, errs bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&errs)
	root.SetArgs(append([]string{"scan"}, args...))
	err := root.Execute()
	if exit, ok := err.(*exitError); ok {
		return out.String(), exit.code
	} else if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return out.String(), exitGood
}

// validate holds a document against the published schema.
func validate(t *testing.T, document string) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(document))
	if err == nil {
		err = scanSchema().Validate(doc)
	}
	if err != nil {
		t.Errorf("%v in\n%s", err, document)
	}
}

// TestScanJSON validates documents of every kind of outcome against the published schema.
func TestScanJSON(t *testing.T) {
	servers := liveServers(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	baseline := filepath.Join(t.TempDir(), "before.json")
	for _, c := range []struct {
		args string
		want string
		code int
	}{
		{"$LISTENER --sni $NAME --json=" + baseline, "", exitGood},
		{"$LISTENER --sni $NAME --json --baseline " + baseline, `"changes": []`, exitGood},
		{"$STRICT --sni $NAME --json --basic --baseline " + baseline, "is not in it", exitGood},
		{"$LISTENER --json --quick", `"depth": "quick"`, exitGood},
		{"$LISTENER --json --basic", `"depth": "basic"`, exitGood},
		{"$SHA1 --json --basic --fail-on weak", `"reached": true`, exitGood},
		{"$LISTENER --json --basic --fail-on weak", `"strength": "weak"`, exitBad},
		{"$LISTENER --json --basic --fail-on intermediate", `"level": "old"`, exitBad},
		{"$LISTENER --json --basic --fail-on old", `"level": "old"`, exitGood},
		{"$STRICT --json --fail-on vulnerable", `"verdict": "not-vulnerable"`, exitGood},
		{vulnerable.Start(t, vulnerable.Flaws{Compression: 1}) + " --json --fail-on vulnerable", `"id": "crime"`, exitBad},
		{"$MUTUAL --json", `"client_certificate": {
      "state": "yes"`, exitGood},
		{"$LISTENER --json --starttls smtp --timeout 300ms", `"id": "not-tls"`, exitUndecided},
		{"127.0.0.1:1 --json", `"id": "connection-refused"`, exitUndecided},
		{silent.Addr().String() + " --json --timeout 100ms", `"id": "not-tls"`, exitUndecided},
		{"nosuch..invalid --json", `"id": "dns-failure"`, exitUndecided},
	} {
		out, code := scanOutput(t, strings.Fields(os.Expand(c.args, func(k string) string { return servers[k] }))...)
		if code != c.code || !strings.Contains(out, c.want) {
			t.Errorf("%s: exit code %d, want %d and %q in\n%s", c.args, code, c.code, c.want, out)
		}
		if strings.Contains(c.args, "--json ") || strings.HasSuffix(c.args, "--json") {
			validate(t, out)
		}
	}
}

// TestScanTruth has the report of a server say what the server was configured to.
func TestScanTruth(t *testing.T) {
	config := testbed.ForPolicy(policy.ByName("TLS13-1-2-Ext2-2021-06"), testbed.OpenSSL)
	if name, ok := config.Installed(t); !ok {
		testbed.Missing(t, name)
	}
	s := testbed.Start(t, config.With(testbed.Make(t, testbed.RSA2048)))
	out, code := scanOutput(t, s.Addr, "--sni", testbed.HostName, "--json")
	var r struct {
		Protocols   []struct{ Version, State string }
		Ciphers     []struct{ Version string }
		PolicyMatch []struct {
			Name  string
			Exact bool
		} `json:"policy_match"`
		Grade struct{ Level string }
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != exitGood {
		t.Fatalf("exit code %d, %v", code, err)
	}
	for _, p := range r.Protocols {
		v, err := suite.ParseVersion(p.Version)
		if want := map[bool]string{true: "yes", false: "no"}[s.Policy.Accepts(v)]; err != nil || p.State != want {
			t.Errorf("%s: %s, want %s", p.Version, p.State, want)
		}
	}
	if len(r.PolicyMatch) != 1 || r.PolicyMatch[0].Name != awsPolicies+"TLS13-1-2-Ext2-2021-06" || !r.PolicyMatch[0].Exact || r.Grade.Level != "old" {
		t.Errorf("policy %+v, level %s", r.PolicyMatch, r.Grade.Level)
	}
}

// TestScanManyInBoundedMemory scans 50 endpoints, and 300, and demands that the second takes no more memory.
func TestScanManyInBoundedMemory(t *testing.T) {
	s := testbed.Start(t, testbed.ForPolicy(policy.ByName("TLS13-1-3-2021-06"), testbed.Go).With(testbed.Make(t, testbed.P256)))
	peak := func(n int) uint64 {
		list := filepath.Join(t.TempDir(), "targets")
		if err := os.WriteFile(list, []byte(strings.Repeat(s.Addr+"\n", n)), 0o600); err != nil {
			t.Fatal(err)
		}
		done, peaked := make(chan struct{}), make(chan uint64)
		go func() {
			var most uint64
			for {
				select {
				case <-done:
					peaked <- most
					return
				case <-time.After(20 * time.Millisecond):
					var m runtime.MemStats
					runtime.ReadMemStats(&m)
					most = max(most, m.HeapInuse)
				}
			}
		}()
		start := time.Now()
		lines := &lineCounter{}
		root := newRoot()
		root.SetOut(lines)
		root.SetArgs([]string{"scan", "-f", list, "--json", "--quick"})
		err := root.Execute()
		close(done)
		most := <-peaked
		t.Logf("%d targets: %v, at most %d MB in use", n, time.Since(start).Round(time.Millisecond), most>>20)
		if err != nil || lines.n != n {
			t.Errorf("%d targets: %d documents, %v", n, lines.n, err)
		}
		return most
	}
	runtime.GC()
	few := peak(50)
	runtime.GC()
	if many := peak(300); many > few+few/2+8<<20 {
		t.Errorf("%d MB for 300 targets, %d MB for 50", many>>20, few>>20)
	}
}

// lineCounter counts the lines that are written to it, and keeps none.
type lineCounter struct{ n int }

func (l *lineCounter) Write(b []byte) (int, error) {
	l.n += bytes.Count(b, []byte("\n"))
	return len(b), nil
}

// TestScanInterrupted: a signal in the midst of it, and what was found until then is printed.
func TestScanInterrupted(t *testing.T) {
	slow := slowed(t, testbed.Start(t, testbed.ForPolicy(policy.ByName("TLS13-1-2-2021-06"), testbed.Go).With(testbed.Make(t, testbed.RSA2048))).Addr)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// testscript runs this test binary as parley where it is called so.
	parley := filepath.Join(t.TempDir(), "parley")
	if err := os.Symlink(self, parley); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(parley, "scan", slow, "--json", "--connections", "2")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1200 * time.Millisecond)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitUndecided || time.Since(start) > 2*time.Second {
		t.Errorf("exit code %d after %v: %s", code, time.Since(start), &errs)
	}
	validate(t, out.String())
	for _, want := range []string{`"interrupted": true`, `"reached": true`, `"version": "TLSv1.2"`, `"state": "unsure"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s in\n%s", want, &out)
		}
	}
	if want := "parley: interrupted: what was found until then is above\n"; errs.String() != want {
		t.Errorf("printed %q, want %q", &errs, want)
	}
}

// slowed relays to an endpoint, and holds every connection up for a while.
func slowed(t *testing.T, upstream string) string {
	return testbed.Listen(t, 0, func(c net.Conn) {
		time.Sleep(300 * time.Millisecond)
		pipe(c, upstream)
	})
}

// pipe carries bytes between a connection and a new one to an address until the latter ends.
func pipe(c net.Conn, upstream string) {
	u, err := net.Dial("tcp", upstream)
	if err != nil {
		return
	}
	defer u.Close()
	go copyBytes(u, c)
	copyBytes(c, u)
}

func copyBytes(to, from net.Conn) {
	buf := make([]byte, 16<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if _, werr := to.Write(buf[:n]); werr != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// TestScanThroughProxy goes through a CONNECT and a SOCKS5 proxy, which look the names up.
func TestScanThroughProxy(t *testing.T) {
	s := testbed.Start(t, testbed.ForPolicy(policy.ByName("TLS13-1-2-2021-06"), testbed.Go).With(testbed.Make(t, testbed.RSA2048)))
	for kind, serve := range map[string]func(net.Conn, string) bool{"http": connectProxy, "socks5": socksProxy} {
		t.Run(kind, func(t *testing.T) {
			asked := make(chan string, 4096)
			proxy := testbed.Listen(t, 0, func(c net.Conn) {
				if serve(c, "lb.invalid") {
					asked <- "yes"
					pipe(c, s.Addr)
				}
			})
			out, code := scanOutput(t, "lb.invalid:443", "--proxy", kind+"://"+proxy, "--json", "--quick")
			if code != exitGood || !strings.Contains(out, `"reached": true`) || len(asked) == 0 {
				t.Errorf("exit code %d, %d connections through the proxy\n%s", code, len(asked), out)
			}
		})
	}
	out, code := scanOutput(t, "lb.invalid:443", "--proxy", "http://127.0.0.1:1")
	if code != exitUndecided || !strings.Contains(out, "connection-refused") {
		t.Errorf("exit code %d\n%s", code, out)
	}
}

// connectProxy takes one CONNECT request and reports whether it was for the name.
func connectProxy(c net.Conn, name string) bool {
	buf := make([]byte, 4096)
	n, err := c.Read(buf)
	if err != nil || !strings.HasPrefix(string(buf[:n]), "CONNECT "+name+":443 HTTP/1.1\r\n") {
		fmt.Fprint(c, "HTTP/1.1 502 Bad Gateway\r\n\r\n")
		return false
	}
	fmt.Fprint(c, "HTTP/1.1 200 Connection established\r\n\r\n")
	return true
}

// socksProxy takes one request by name (RFC 1928) and reports whether it was for the name.
func socksProxy(c net.Conn, name string) bool {
	buf := make([]byte, 512)
	if _, err := c.Read(buf); err != nil {
		return false
	}
	c.Write([]byte{5, 0})
	n, err := c.Read(buf)
	want := append(append([]byte{5, 1, 0, 3, byte(len(name))}, name...), 443>>8, 443&0xFF)
	if err != nil || !bytes.Equal(buf[:n], want) {
		return false
	}
	c.Write([]byte{5, 0, 0, 1, 127, 0, 0, 1, 0, 0})
	return true
}
