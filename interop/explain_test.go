package interop

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/symptom"
	"github.com/parley-tls/parley/testbed"
)

// texts counts what explain says of the texts of real clients.
type texts struct {
	sync.Mutex
	all, first, three, settled int
}

// judge holds explain to a client's output. A text that is not the client's last word – a bare handshake_failure, a closed
// connection – fits several causes: then the true one must be among the first three, and the first must not be claimed with a
// confidence over 0.8. Where even that fails, the probe must settle it.
func (s *texts) judge(t *testing.T, client, fault, output string, want []cause.ID, settle func() cause.ID) {
	t.Helper()
	e := symptom.Explain(output)
	s.Lock()
	defer s.Unlock()
	s.all++
	top := e.Causes[0]
	among := slices.ContainsFunc(e.Causes[:min(3, len(e.Causes))], func(r symptom.Ranked) bool { return slices.Contains(want, r.ID) })
	switch {
	case slices.Contains(want, top.ID):
		s.first++
	case among && top.Confidence <= 0.8:
		s.three++
		t.Logf("%s, %s: the text fits %s (%.2f) and %s alike: %q", client, fault, top.ID, top.Confidence, want[0], told(e))
	case settle != nil && top.Confidence <= 0.8 && slices.Contains(want, settle()):
		s.settled++
		t.Logf("%s, %s: the text does not tell (%s, %.2f), a probe finds %s: %q", client, fault, top.ID, top.Confidence, want[0], told(e))
	default:
		t.Errorf("%s, %s: %s (%.2f), want %v\n%v\n%s", client, fault, top.ID, top.Confidence, want, told(e), output)
	}
}

// told is what in a text decided.
func told(e *symptom.Explanation) string {
	var l []string
	for _, v := range e.Evidence[:min(3, len(e.Evidence))] {
		l = append(l, v.Text)
	}
	return strings.Join(l, " | ")
}

// strictServers are those of the matrix that turn many clients away, each for reasons of its own.
var strictServers = []string{"ossl-ed25519", "ossl-client", "nginx-fs-res", "haproxy-1-3", "gnutls-1-1", "java-legacy", "go-ec", "go-sha1", "node-24-pq"}

// TestExplainPairs has every client meet strict servers of the matrix, and explain read what those print that do not get in: the
// version, the cipher suites, the groups, the signature schemes, the certificate.
func TestExplainPairs(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: hundreds of real connections")
	}
	var s texts
	for _, server := range realServers(t) {
		if !slices.Contains(strictServers, server.name) {
			continue
		}
		for _, client := range realClients(t) {
			if !strings.Contains(client.Name+"/"+server.name, *only) {
				continue
			}
			c := &cell{client: client, server: server}
			before := predictors
			predictors = []Predictor{Decide}
			c.meet(t)
			predictors = before
			if len(c.predictions) == 0 || c.result.OK || c.predictions[0].OK || len(c.disagreements) > 0 {
				continue // TestMatrix speaks of disagreements
			}
			s.judge(t, client.Name, server.name, c.result.Output, []cause.ID{c.predictions[0].Cause}, func() cause.ID {
				ctx, cancel := context.WithTimeout(t.Context(), pairTime)
				defer cancel()
				p, err := Why.Predict(ctx, &c.pair)
				if err != nil {
					t.Log(err)
				}
				return p.Cause
			})
		}
	}
	t.Logf("%d texts: %d right, %d among the first three, %d settled by a probe", s.all, s.first, s.three, s.settled)
	if s.all < 50 && *only == "" && os.Getenv("CI") == "true" {
		t.Errorf("%d texts: at least 50 are wanted", s.all)
	}
}

// fault is what is wrong at an address, and the causes that are right: the text may tell the wider one.
type fault struct {
	name  string
	start func(t *testing.T) (addr, ca string)
	want  []cause.ID
}

func faults() []fault {
	serve := func(id testbed.Spec, config *tls.Config, after func(*tls.Conn)) func(t *testing.T) (string, string) {
		return func(t *testing.T) (string, string) {
			made := testbed.Make(t, id)
			config.Certificates = []tls.Certificate{made.TLS}
			return testbed.Listen(t, 10*time.Second, func(c net.Conn) {
				s := tls.Server(c, config)
				if s.Handshake() == nil {
					after(s)
				}
			}), made.CA
		}
	}
	answer := func(s *tls.Conn) {
		s.Read(make([]byte, 4096))
		io.WriteString(s, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
		s.Close()
	}
	raw := func(do func(net.Conn)) func(t *testing.T) (string, string) {
		return func(t *testing.T) (string, string) {
			return testbed.Listen(t, 10*time.Second, do), testbed.Make(t, testbed.RSA2048).CA
		}
	}
	readHello := func(c net.Conn) { c.Read(make([]byte, 16384)) }
	other := func(start func(t *testing.T) (string, string)) func(t *testing.T) (string, string) {
		return func(t *testing.T) (string, string) {
			addr, _ := start(t)
			return addr, testbed.Make(t, testbed.P384).CA // a root that signed nothing here
		}
	}
	chainless := testbed.RSA2048
	chainless.Name, chainless.Intermediate, chainless.Incomplete = "rsa2048-no-intermediate", true, true
	return []fault{
		{"plain HTTP", raw(func(c net.Conn) {
			readHello(c)
			io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		}), []cause.ID{cause.PlainHTTPOnTLSPort}},
		{"SSH", raw(func(c net.Conn) {
			io.WriteString(c, "SSH-2.0-OpenSSH_9.2p1\r\n")
			readHello(c)
		}), []cause.ID{cause.NotTLS, cause.PlainHTTPOnTLSPort}},
		{"reset", raw(func(c net.Conn) {
			readHello(c)
			c.(*net.TCPConn).SetLinger(0)
		}), []cause.ID{cause.ConnectionReset}},
		{"close", raw(readHello), []cause.ID{cause.ConnectionReset}},
		{"refused", func(t *testing.T) (string, string) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			l.Close()
			return l.Addr().String(), testbed.Make(t, testbed.RSA2048).CA
		}, []cause.ID{cause.ConnectionRefused}},
		{"untrusted", other(serve(testbed.RSA2048, &tls.Config{}, answer)), []cause.ID{cause.CertificateUntrusted}},
		{"no intermediate", serve(chainless, &tls.Config{}, answer), []cause.ID{cause.CertificateChainIncomplete, cause.CertificateUntrusted}},
		{"expired", serve(testbed.RSAExpired, &tls.Config{}, answer), []cause.ID{cause.CertificateExpired}},
		{"other name", serve(testbed.RSAOtherName, &tls.Config{}, answer), []cause.ID{cause.CertificateNameMismatch}},
		{"client certificate", serve(testbed.RSA2048, &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: x509.NewCertPool()}, answer),
			[]cause.ID{cause.ClientCertificateRequired}},
		{"client certificate, TLS 1.2", serve(testbed.RSA2048, &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: x509.NewCertPool(), MaxVersion: tls.VersionTLS12}, answer),
			[]cause.ID{cause.ClientCertificateRequired}},
		{"name refused", func(t *testing.T) (string, string) {
			id := testbed.Make(t, testbed.RSA2048)
			return testbed.Listen(t, 10*time.Second, func(c net.Conn) {
				readHello(c)
				c.Write([]byte{21, 3, 3, 0, 2, 2, 112}) // unrecognized_name
			}), id.CA
		}, []cause.ID{cause.SNIUnknown}},
	}
}

// plainClients are one of each program, with its defaults.
var plainClients = []string{"openssl", "gnutls", "go", "python", "curl", "wget", "java-17"}

// TestExplainFaults has one client of each program meet faults that no policy has.
func TestExplainFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: many real connections")
	}
	var s texts
	for _, f := range faults() {
		addr, ca := f.start(t)
		for _, c := range realClients(t) {
			plain := slices.Contains(plainClients, c.Name) || strings.HasPrefix(c.Name, "node")
			if !plain || !strings.Contains(c.Name+"/"+f.name, *only) {
				continue
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			r := c.Connect(ctx, testbed.Target{Addr: addr, ServerName: testbed.HostName, CA: ca})
			cancel()
			if r.OK {
				t.Logf("%s, %s: the client does not mind", c.Name, f.name)
				continue
			}
			if strings.Contains(r.Output, "FAIL closed") {
				t.Logf("%s, %s: the program was told of no error, the connection just closed", c.Name, f.name)
				continue
			}
			s.judge(t, c.Name, f.name, r.Output, f.want, nil)
		}
	}
	t.Logf("%d texts: %d right, %d among the first three", s.all, s.first, s.three)
}
