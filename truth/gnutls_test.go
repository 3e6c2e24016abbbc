package truth

import (
	"bufio"
	"bytes"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// gnuTLSEndpoints are servers of gnutls-serv.
var gnuTLSEndpoints = []endpoint{
	{name: "gnutls-all", what: "GnuTLS with ARCFOUR, 3DES, NULL and anonymous suites, FFDHE groups, RSA certificate, server's order; NULL switches its TLS 1.3 off", start: func(t *testing.T) *subject {
		return gnuTLS(t, "NONE:+VERS-TLS1.3:+VERS-TLS1.2:+VERS-TLS1.1:+VERS-TLS1.0:+AES-128-CCM:+ARCFOUR-128:+AES-256-GCM:+CAMELLIA-128-GCM:+3DES-CBC:+CHACHA20-POLY1305"+
			":+AES-128-CBC:+NULL:+AES-128-GCM:+CAMELLIA-256-CBC:+SHA256:+SHA1:+MD5:+AEAD:+RSA:+ANON-ECDH:+DHE-RSA:+ECDHE-RSA:+ANON-DH"+
			":+GROUP-FFDHE3072:+GROUP-SECP384R1:+GROUP-X25519:+GROUP-FFDHE2048:+GROUP-SECP256R1:+SIGN-ALL:+COMP-NULL:+CTYPE-X509:%SERVER_PRECEDENCE", testbed.RSA2048)
	}},
	{name: "gnutls-ffdhe", what: "GnuTLS with FFDHE groups before the curves, TLS 1.2 and 1.3, RSA certificate, server's order", start: func(t *testing.T) *subject {
		return gnuTLS(t, "NONE:+VERS-TLS1.3:+VERS-TLS1.2:+CHACHA20-POLY1305:+AES-256-GCM:+AES-128-CCM:+AES-128-GCM:+AEAD:+DHE-RSA:+ECDHE-RSA"+
			":+GROUP-FFDHE3072:+GROUP-SECP384R1:+GROUP-X25519:+GROUP-FFDHE2048:+SIGN-ALL:+COMP-NULL:+CTYPE-X509:%SERVER_PRECEDENCE", testbed.RSA2048)
	}},
	{name: "gnutls-client-order", what: "GnuTLS with a policy of today, ECDSA certificate, client's order", start: func(t *testing.T) *subject {
		return gnuTLS(t, "NONE:+VERS-TLS1.3:+VERS-TLS1.2:+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM:+AEAD:+ECDHE-ECDSA"+
			":+GROUP-X25519:+GROUP-SECP256R1:+GROUP-X448:+SIGN-ALL:+COMP-NULL:+CTYPE-X509", testbed.P256)
	}},
}

// gnuTLS starts gnutls-serv.
func gnuTLS(t *testing.T, priority string, spec testbed.Spec) *subject {
	id := testbed.Make(t, spec)
	port := testbed.FreePort(t)
	s := testbed.Run(t, port, testbed.Need(t, "gnutls-serv"), "--http", "--noticket", "--nodb", "-q", "--disable-client-cert", "--port", fmt.Sprint(port),
		"--priority", priority, "--x509certfile", id.Cert, "--x509keyfile", id.Key)
	return &subject{addr: s.Addr, serverName: testbed.HostName, truth: gnuTLSTruth(t, priority)}
}

var (
	gnuTLSSuite    = regexp.MustCompile(`^TLS_\S+\s+0x(..), 0x(..)\s+(\S+)$`)
	gnuTLSGroups   = regexp.MustCompile(`^Groups: (.*)$`)
	gnuTLSVersions = regexp.MustCompile(`\bVERS-(TLS1\.\d)`)
)

// gnuTLSTruth has `gnutls-cli --list` say what the priority string means. The strings here name no kind of certificate
// that the server lacks, so all that they name is accepted. GnuTLS accepts a suite from the version on that it lists
// for it, and those of TLS 1.3 there alone.
func gnuTLSTruth(t *testing.T, priority string) *picture {
	out, err := exec.Command(testbed.Need(t, "gnutls-cli"), "--list", "--priority", priority).Output()
	if err != nil {
		t.Fatalf("gnutls-cli: %v", err)
	}
	order := policy.ClientOrder
	if strings.Contains(priority, "%SERVER_PRECEDENCE") {
		order = policy.ServerOrder
	}
	p := &picture{versions: make(map[suite.Version]list[suite.Code])}
	// NULL among the ciphers switches TLS 1.3 off: the line "Protocols:" of the output tells, the string does not.
	for _, m := range gnuTLSVersions.FindAllStringSubmatch(protocolsLine(out), -1) {
		p.versions[gnuTLSVersion(t, m[1])] = list[suite.Code]{order: order, sorted: true}
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if m := gnuTLSSuite.FindStringSubmatch(line); m != nil {
			code, err := strconv.ParseUint(m[1]+m[2], 16, 16)
			if err != nil {
				t.Fatal(err)
			}
			p.addFrom(suite.Code(code), gnuTLSVersion(t, m[3]))
		}
		if m := gnuTLSGroups.FindStringSubmatch(line); m != nil {
			p.addGroups(t, strings.Split(m[1], ", "))
		}
	}
	// A finite field goes before every curve with this GnuTLS, wherever it stands: s_client -groups shows it.
	slices.SortStableFunc(p.groups13.items, func(a, b suite.Group) int {
		return strings.Compare(suite.GroupByCode(b).Kind, suite.GroupByCode(a).Kind)
	})
	// Before TLS 1.3 the suite decides between the two kinds, and each has an order of its own.
	slices.SortStableFunc(p.groups12.items, func(a, b suite.Group) int {
		return strings.Compare(suite.GroupByCode(a).Kind, suite.GroupByCode(b).Kind)
	})
	p.groups13.order, p.groups13.sorted = order, true
	p.groups12.order, p.groups12.sorted = order, true
	return p
}

func protocolsLine(out []byte) string {
	_, after, _ := strings.Cut(string(out), "\nProtocols: ")
	line, _, _ := strings.Cut(after, "\n")
	return line
}

func gnuTLSVersion(t *testing.T, name string) suite.Version {
	v, err := suite.ParseVersion(strings.Replace(name, "TLS", "TLSv", 1))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// addFrom adds a suite to all versions from the given one on that share its kind of suite.
func (p *picture) addFrom(c suite.Code, first suite.Version) {
	for v, l := range p.versions {
		if v >= first && (v == suite.TLS13) == (first == suite.TLS13) {
			l.items = append(l.items, c)
			p.versions[v] = l
		}
	}
}

// addGroups adds groups by name to those of TLS 1.3 and those before it. Finite fields count in both: the suites with
// DHE use them in TLS 1.2 as well (RFC 7919).
func (p *picture) addGroups(t *testing.T, names []string) {
	ff := false
	for v, l := range p.versions {
		for _, c := range l.items {
			s := suite.ByCode(c)
			ff = ff || v < suite.TLS13 && s.KeyExchange == suite.KXDHE
		}
	}
	for _, name := range names {
		g := suite.GroupByName(name)
		if g == nil {
			t.Fatalf("group %q is not in the registry", name)
		}
		if _, ok := p.versions[suite.TLS13]; ok && g.TLS13 {
			p.groups13.items = append(p.groups13.items, g.Code)
		}
		if g.TLS12 && (g.Kind == "ec" || ff) {
			p.groups12.items = append(p.groups12.items, g.Code)
		}
	}
}
