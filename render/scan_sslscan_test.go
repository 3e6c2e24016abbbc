package render_test

import (
	"context"
	"encoding/xml"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parley-tls/parley/inspect"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/render"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// element is any element of a document, so that what one of the two lacks shows.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Text     string     `xml:",chardata"`
	Children []element  `xml:",any"`
}

// line is an element with its attributes, those named left out.
func (e *element) line(without ...string) string {
	s := e.XMLName.Local
	for _, a := range e.Attrs {
		if !slices.Contains(without, a.Name.Local) {
			s += fmt.Sprintf(" %s=%q", a.Name.Local, a.Value)
		}
	}
	return strings.TrimSpace(s + " " + strings.TrimSpace(e.Text))
}

// all collects the lines of every element of some kind, at any depth.
func (e *element) all(kind string, without ...string) []string {
	var l []string
	if e.XMLName.Local == kind {
		l = append(l, e.line(without...))
	}
	for i := range e.Children {
		l = append(l, e.Children[i].all(kind, without...)...)
	}
	return l
}

// kinds counts the kinds of element, each with the names of its attributes.
func (e *element) kinds(m map[string]bool) map[string]bool {
	m[e.XMLName.Local] = true
	for _, a := range e.Attrs {
		m[e.XMLName.Local+"/"+a.Name.Local] = true
	}
	for i := range e.Children {
		e.Children[i].kinds(m)
	}
	return m
}

// TestScanXMLAgreesWithSSLScan scans the same endpoints with sslscan and compares what both documents have.
func TestScanXMLAgreesWithSSLScan(t *testing.T) {
	sslscan := testbed.Need(t, "sslscan")
	for _, c := range []struct {
		kind   testbed.Kind
		policy string
		spec   testbed.Spec
	}{
		{testbed.OpenSSL, "TLS13-1-2-Ext2-2021-06", testbed.RSA2048},
		{testbed.OpenSSL, "TLS13-1-2-2021-06", testbed.P256},
		{testbed.Nginx, "TLS13-1-2-2021-06", testbed.RSA2048},
		{testbed.GnuTLS, "TLS13-1-2-2021-06", testbed.RSA2048},
	} {
		t.Run(fmt.Sprintf("%s %s %s", c.kind, c.policy, c.spec.Name), func(t *testing.T) {
			config := testbed.ForPolicy(policy.ByName(c.policy), c.kind)
			if name, ok := config.Installed(t); !ok {
				testbed.Missing(t, name)
			}
			s := testbed.Start(t, config.With(testbed.Make(t, c.spec)))
			text, xml := sslscanOf(t, sslscan, s.Addr)
			theirs := document(t, xml)
			ours := document(t, parleyOf(t, s.Addr, inspect.Basic))
			for kind := range ours.kinds(make(map[string]bool)) {
				if !theirs.kinds(make(map[string]bool))[kind] && !strings.HasPrefix(kind, "fallback") && !strings.HasPrefix(kind, "compression") {
					t.Errorf("sslscan has no %s", kind)
				}
			}
			compareSupport(t, ours, text)
			// The first of a version is "preferred" for both; the order of groups and the title are each its own.
			for _, kind := range []string{"protocol", "renegotiation", "heartbleed", "cipher", "group", "signature-algorithm", "pk", "subject", "altnames", "issuer", "self-signed", "not-valid-before", "not-valid-after", "expired"} {
				a, b := ours.all(kind), theirs.all(kind)
				if kind == "renegotiation" && !config.Policy.Accepts(suite.TLS10) {
					// sslscan asks in TLS 1.0 alone, and takes it that there is no renegotiation where that is refused.
					b = []string{`renegotiation supported="1" secure="1"`}
				}
				if kind == "group" && c.spec.Key == policy.ECDSA {
					// Before TLS 1.3 the curve of the certificate must be among the groups offered: sslscan, which offers one
					// at a time, finds that one at most.
					for _, l := range b {
						if !slices.Contains(a, l) {
							t.Errorf("no %s", l)
						}
					}
					classic := func(l string) bool { return strings.Contains(l, "TLSv1.2") }
					a, b = slices.DeleteFunc(a, classic), slices.DeleteFunc(b, classic)
				}
				if kind != "cipher" {
					slices.Sort(a)
					slices.Sort(b)
				}
				if !slices.Equal(a, b) {
					t.Errorf("%s:\nparley  %s\nsslscan %s", kind, strings.Join(a, "\n        "), strings.Join(b, "\n        "))
				}
			}
		})
	}
}

// TestScanXMLOfFiniteFields: sslscan does not ask for finite fields before TLS 1.3; all other groups are the same.
func TestScanXMLOfFiniteFields(t *testing.T) {
	sslscan := testbed.Need(t, "sslscan")
	id, port := testbed.Make(t, testbed.RSA2048), testbed.FreePort(t)
	s := testbed.Run(t, port, testbed.Need(t, "gnutls-serv"), "--http", "-q", "--disable-client-cert", "--port", fmt.Sprint(port),
		"--priority", "NORMAL:-GROUP-ALL:+GROUP-X25519:+GROUP-FFDHE2048:+GROUP-FFDHE4096", "--x509certfile", id.Cert, "--x509keyfile", id.Key)
	_, xml := sslscanOf(t, sslscan, s.Addr)
	theirs := append(document(t, xml).all("group"), `group sslversion="TLSv1.2" bits="112" name="ffdhe2048" id="0x0100"`,
		`group sslversion="TLSv1.2" bits="150" name="ffdhe4096" id="0x0102"`)
	ours := document(t, parleyOf(t, s.Addr, inspect.Basic)).all("group")
	slices.Sort(ours)
	slices.Sort(theirs)
	if !slices.Equal(ours, theirs) {
		t.Errorf("parley  %s\nsslscan %s", strings.Join(ours, "\n        "), strings.Join(theirs, "\n        "))
	}
}

// TestScanXMLOfVulnerable compares what both say of OpenSSL 1.0.1e, which has Heartbleed and speaks SSLv2.
func TestScanXMLOfVulnerable(t *testing.T) {
	sslscan := testbed.Need(t, "sslscan")
	node := filepath.Join(testbed.Root(t), ".peers", "vulnerable", "node-0.10.1", "bin", "node")
	if _, err := os.Stat(node); err != nil {
		testbed.Missing(t, "Node.js 0.10.1")
	}
	id, port := testbed.Make(t, testbed.RSA2048), testbed.FreePort(t)
	s := testbed.Run(t, port, node, "../vuln/testdata/server.js", fmt.Sprint(port), id.Cert, id.Key, "ALL:SSLv2")
	text, xml := sslscanOf(t, sslscan, s.Addr)
	theirs, ours := document(t, xml), document(t, parleyOf(t, s.Addr, inspect.Full))
	for _, kind := range []string{"protocol", "renegotiation", "heartbleed"} {
		if a, b := ours.all(kind), theirs.all(kind); !slices.Equal(a, b) {
			t.Errorf("%s:\nparley  %s\nsslscan %s", kind, a, b)
		}
	}
	if l := ours.all("heartbleed"); len(l) != 3 || !strings.HasSuffix(l[0], `vulnerable="1"`) {
		t.Errorf("%q", l)
	}
	compareSupport(t, ours, text)
}

// compareSupport compares what this release of sslscan has in its text alone, or cannot test since OpenSSL has no
// compression any more.
func compareSupport(t *testing.T, ours *element, text string) {
	t.Helper()
	fallback := map[bool]string{true: `fallback supported="1"`, false: `fallback supported="0"`}[strings.Contains(text, "Server supports TLS Fallback SCSV")]
	if got := ours.all("fallback"); !slices.Equal(got, []string{fallback}) {
		t.Errorf("%q, sslscan says %q", got, fallback)
	}
	if got := ours.all("compression"); !slices.Equal(got, []string{`compression supported="0"`}) {
		t.Errorf("%q", got)
	}
}

// sslscanOf returns sslscan's text and XML.
func sslscanOf(t *testing.T, program, address string) (text, document string) {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "sslscan.xml")
	out, err := exec.Command(program, "--no-colour", "--xml="+path, "--show-sigs", "--sni-name="+testbed.HostName, net.JoinHostPort(host, port)).Output()
	if err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(out), string(written)
}

func parleyOf(t *testing.T, address string, depth inspect.Depth) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	r := inspect.Run(context.Background(), &probe.Prober{}, inspect.Target{Name: address, Host: host, Port: port, Address: address, ServerName: testbed.HostName}, inspect.Options{Depth: depth})
	var b strings.Builder
	w := render.NewScanXML(&b, render.OpenSSLNames)
	if err := w.Report(r); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func document(t *testing.T, text string) *element {
	var e element
	if err := xml.Unmarshal([]byte(text), &e); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return &e
}
