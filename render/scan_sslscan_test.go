package render_test

import (
	"context"
	"encoding/xml"
	"fmt"
	"net"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/parley-tls/parley/inspect"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/render"
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
			theirs := document(t, sslscanOf(t, sslscan, s.Addr))
			ours := document(t, parleyOf(t, s.Addr))
			for kind := range ours.kinds(make(map[string]bool)) {
				if !theirs.kinds(make(map[string]bool))[kind] {
					t.Errorf("sslscan has no %s", kind)
				}
			}
			// The first of a version is "preferred" for both; the order of groups and the title are each its own.
			for _, kind := range []string{"protocol", "cipher", "group", "signature-algorithm", "pk", "subject", "altnames", "issuer", "self-signed", "not-valid-before", "not-valid-after", "expired"} {
				a, b := ours.all(kind), theirs.all(kind)
				if kind == "protocol" { // whether SSLv2 is accepted is told only where it was asked for
					b = slices.DeleteFunc(b, func(l string) bool { return strings.Contains(l, `type="ssl" version="2"`) })
				}
				if kind == "group" && c.spec.Key == policy.ECDSA {
					// Before TLS 1.3 the curve of the certificate must be among the groups offered: sslscan, which offers one
					// at a time, finds that one alone, and Parley says that it did not test.
					b = slices.DeleteFunc(b, func(l string) bool { return strings.Contains(l, "TLSv1.2") })
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

func sslscanOf(t *testing.T, program, address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(program, "--xml=-", "--show-sigs", "--sni-name="+testbed.HostName, net.JoinHostPort(host, port)).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func parleyOf(t *testing.T, address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	r := inspect.Run(context.Background(), &probe.Prober{}, inspect.Target{Name: address, Host: host, Port: port, Address: address, ServerName: testbed.HostName}, inspect.Options{})
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
