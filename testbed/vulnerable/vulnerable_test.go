package vulnerable

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/testbed"
)

// TestProper: without flaws it is a proper server, for OpenSSL's client and for Go's, with both suites and in all
// versions, and with a ticket.
func TestProper(t *testing.T) {
	addr := Start(t, Flaws{})
	openssl := testbed.Need(t, "openssl")
	for _, version := range []string{"-tls1", "-tls1_1", "-tls1_2"} {
		for _, cipher := range []string{"AES128-SHA", "DHE-RSA-AES128-SHA"} {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			cmd := exec.CommandContext(ctx, openssl, "s_client", "-connect", addr, version, "-cipher", cipher+":@SECLEVEL=0", "-ign_eof", "-reconnect")
			cmd.Stdin = strings.NewReader("GET / HTTP/1.0\r\n\r\n")
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "Reused, ") || !strings.Contains(string(out), "HTTP/1.0 200 OK") {
				t.Errorf("%s %s: %v\n%s", version, cipher, err, out)
			}
		}
	}
	pem, err := os.ReadFile(testbed.Make(t, testbed.RSA2048).CA)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS12} {
		c, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: roots, ServerName: testbed.HostName, MinVersion: version, MaxVersion: version,
			CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}})
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(c, "GET / HTTP/1.0\r\n\r\n")
		if got, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(got), "HTTP/1.0 200 OK") {
			t.Errorf("%v %q", err, got)
		}
		c.Close()
	}
}
