package inspect

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/testbed"
	"github.com/parley-tls/parley/vuln"
)

// run inspects a server of the test bed.
func run(t *testing.T, addr string, opt Options) *Report {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return Run(context.Background(), &probe.Prober{}, Target{Name: addr, Host: host, Port: port, Address: addr, ServerName: testbed.HostName}, opt)
}

// TestSSLv2Alone: an endpoint that speaks SSLv2 and nothing else is reached, and its one protocol is judged.
func TestSSLv2Alone(t *testing.T) {
	node := filepath.Join(testbed.Root(t), ".peers", "vulnerable", "node-0.10.1", "bin", "node")
	if _, err := os.Stat(node); err != nil {
		testbed.Missing(t, "Node.js 0.10.1")
	}
	id, port := testbed.Make(t, testbed.RSA2048), testbed.FreePort(t)
	s := testbed.Run(t, port, node, "../vuln/testdata/server.js", fmt.Sprint(port), id.Cert, id.Key, "SSLv2")
	r := run(t, s.Addr, Options{})
	if !r.Reached || r.Protocols[0].State != Yes || r.Protocols[4].State != No || r.Grade.Level != NoLevel || len(r.PolicyMatch) > 0 {
		t.Errorf("%+v", r)
	}
	if f := r.Finding("drown"); f == nil || f.Verdict != vuln.Vulnerable {
		t.Errorf("DROWN: %+v", f)
	}
}
