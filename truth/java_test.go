package truth

import (
	"bufio"
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

//go:embed programs
var programs embed.FS

// program writes one of the embedded programs to a folder and returns its path.
func program(t *testing.T, name string) string {
	text, err := programs.ReadFile("programs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// javaEndpoints are servers of one Java.
var javaEndpoints = []endpoint{
	{name: "java-all-rsa", what: "Java's JSSE with nothing switched off (SSLv3, RC4, DES, EXPORT, anonymous, NULL), RSA certificate, server's order", start: func(t *testing.T) *subject {
		return once(t, "java", startJava, "java", "javac", "openssl").parts[0]
	}},
	{name: "java-all-ecdsa-dsa", what: "the same with ECDSA and DSA certificates, client's order", start: func(t *testing.T) *subject {
		return once(t, "java", startJava, "java", "javac", "openssl").parts[1]
	}},
}

// javaGroups are what jdk.tls.namedGroups is set to. Before TLS 1.3 JSSE uses ffdhe2048 too for a client that names none
// of its finite fields: were it the only one, it would not show that it has a name.
var javaGroups = []string{"secp384r1", "x25519", "ffdhe2048", "secp256r1", "x448", "ffdhe3072"}

// startJava starts both servers in one Java, which is slow to start. Its source launcher wants the compiler.
func startJava(t *testing.T) *subject {
	dir := t.TempDir()
	out, security := filepath.Join(dir, "accepted"), filepath.Join(dir, "java.security")
	if err := os.WriteFile(security, []byte("jdk.tls.disabledAlgorithms=\njdk.certpath.disabledAlgorithms=\njdk.tls.legacyAlgorithms=\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	rsa, ec := testbed.Make(t, testbed.RSA2048), testbed.Make(t, testbed.P256)
	cert, key := dsaFiles(t, dir)
	ports := []int{testbed.FreePort(t), testbed.FreePort(t)}
	testbed.Run(t, ports[0], testbed.Need(t, "java"), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Djava.security.properties="+security,
		"-Djdk.tls.namedGroups="+strings.Join(javaGroups, ","), "-Djdk.tls.ephemeralDHKeySize=2048", "-Djdk.tls.server.enableSessionTicketExtension=false",
		program(t, "Everything.java"), out,
		fmt.Sprint(ports[0]), "server", "RSA="+rsa.Cert+"="+rsa.Key,
		fmt.Sprint(ports[1]), "client", "EC="+ec.Cert+"="+ec.Key+",DSA="+cert+"="+key)
	accepted := waitFor(t, out)
	s := &subject{}
	for i, port := range ports {
		s.parts = append(s.parts, &subject{addr: fmt.Sprintf("127.0.0.1:%d", port), serverName: testbed.HostName,
			truth: negotiated(t, accepted, fmt.Sprint(port), []policy.Order{policy.ServerOrder, policy.ClientOrder}[i])})
		// Finite fields too have a name before TLS 1.3 (jsse.enableFFDHE). JSSE looks for the first of the client's groups.
		p := s.parts[i].truth
		p.addGroups(t, javaGroups)
		p.groups13.order, p.groups12.order = policy.ClientOrder, policy.ClientOrder
	}
	return s
}

// waitFor waits for a file and returns its lines.
func waitFor(t *testing.T, path string) []string {
	t.Helper()
	for range 600 {
		if exists(path) {
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			var l []string
			lines := bufio.NewScanner(f)
			for lines.Scan() {
				l = append(l, lines.Text())
			}
			return l
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("the server did not write %s", path)
	return nil
}

// negotiated reads what a server's own client negotiated: lines "SERVER VERSION SUITE".
func negotiated(t *testing.T, lines []string, server string, order policy.Order) *picture {
	p := &picture{versions: make(map[suite.Version]list[suite.Code])}
	for _, line := range lines {
		f := strings.Fields(line)
		if f[0] != server {
			continue
		}
		v, err := suite.ParseVersion(f[1])
		if err != nil {
			t.Fatal(err)
		}
		s := suite.ByName(f[2])
		if v == suite.SSLv2 {
			s = sslv2Kind(f[2])
		}
		if s == nil {
			t.Fatalf("suite %q is not in the registry", f[2])
		}
		l := p.versions[v]
		l.items, l.order, l.sorted = append(l.items, s.Code), order, true
		p.versions[v] = l
	}
	return p
}

// sslv2Kind finds a cipher kind of SSLv2 by OpenSSL's name.
func sslv2Kind(name string) *suite.Suite {
	for _, s := range suite.All() {
		if s.Code > 0xFFFF && s.OpenSSL == name {
			return &s
		}
	}
	return nil
}
