package connect

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/testbed"
)

// request is a connection to a server of the test bed, with the selection resolved.
func request(t *testing.T, address string, s Selection) *Request {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	q := &Request{Endpoint: &diagnose.Endpoint{Name: address, Host: host, Port: port, Addresses: []string{host}, ServerName: testbed.HostName},
		Name: testbed.HostName, Resume: true, Prober: &probe.Prober{Timeout: 5 * time.Second}, Now: time.Now()}
	if q.Versions, q.Suites, q.Notes, err = s.Resolve(); err != nil {
		t.Fatal(err)
	}
	return q
}

// trusting adds the roots of a file.
func trusting(t *testing.T, q *Request, file string) *Request {
	t.Helper()
	pem, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	q.Roots, q.RootsFile, q.Verify = x509.NewCertPool(), file, true
	q.Roots.AppendCertsFromPEM(pem)
	return q
}

func run(t *testing.T, q *Request) *Report {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return Run(ctx, q)
}

// sServer starts openssl s_server.
func sServer(t *testing.T, id *testbed.Identity, options ...string) string {
	t.Helper()
	program := testbed.Need(t, "openssl")
	port := testbed.FreePort(t)
	args := []string{"s_server", "-accept", fmt.Sprintf("127.0.0.1:%d", port), "-cert", id.Cert, "-key", id.Key, "-www", "-quiet"}
	return testbed.Run(t, port, program, append(args, options...)...).Addr
}

// sServerWithKey starts one with a self-signed certificate of a kind that Go cannot make.
func sServerWithKey(t *testing.T, kind string) string {
	t.Helper()
	program := testbed.Need(t, "openssl")
	d := t.TempDir()
	id := &testbed.Identity{Cert: filepath.Join(d, "crt"), Key: filepath.Join(d, "key")}
	cmd := exec.Command(program, "req", "-x509", "-newkey", kind, "-nodes", "-keyout", id.Key, "-out", id.Cert, "-subj", "/CN="+testbed.HostName)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("openssl req: %v\n%s", err, out)
	}
	return sServer(t, id)
}

// goServer serves every connection with crypto/tls, and waits for the other side to end it.
func goServer(t testing.TB, config *tls.Config) string {
	t.Helper()
	return listener(t, func(c net.Conn) {
		s := tls.Server(c, config)
		if s.Handshake() == nil {
			s.Read(make([]byte, 1))
			s.Close()
		}
	})
}

// listener serves every connection with serve until the test ends.
func listener(t testing.TB, serve func(net.Conn)) string {
	t.Helper()
	return testbed.Listen(t, 20*time.Second, serve)
}
