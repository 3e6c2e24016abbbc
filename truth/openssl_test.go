package truth

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// everything is all that an OpenSSL was built with.
const everything = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"

// all13 are OpenSSL's suites of TLS 1.3, in an order that is not its own.
const all13 = "TLS_AES_128_CCM_8_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384:TLS_AES_128_CCM_SHA256:TLS_AES_128_GCM_SHA256"

// openSSL is a server on OpenSSL: what decides what it accepts.
type openSSL struct {
	program []string // the openssl of the same release, which lists what the strings mean
	ciphers string
	suites  string   // of TLS 1.3
	groups  []string // by IANA's names
	keys    []policy.KeyType
	psk     bool // a pre-shared key is set
	// noDHE: no parameters are given to it, and it makes none of its own.
	noDHE       bool
	versions    []suite.Version
	clientOrder bool
}

// preSharedKey is that of servers with one, in hexadecimal.
const preSharedKey = "1a2b3c4d"

// versionOption are the options by which `openssl ciphers` and s_client take one version.
var versionOption = map[suite.Version]string{suite.TLS10: "-tls1", suite.TLS11: "-tls1_1", suite.TLS12: "-tls1_2", suite.TLS13: "-tls1_3"}

// truth has `openssl ciphers` say what the configuration means.
func (o *openSSL) truth(t testing.TB) *picture {
	p := &picture{versions: make(map[suite.Version]list[suite.Code])}
	order := policy.ServerOrder
	if o.clientOrder {
		order = policy.ClientOrder
	}
	ec := false // whether any suite uses groups before TLS 1.3
	for _, v := range o.versions {
		l := list[suite.Code]{order: order, sorted: !o.clientOrder}
		for _, c := range o.expand(t, v) {
			if o.serves(c) {
				l.items = append(l.items, c.code)
				ec = ec || v < suite.TLS13 && strings.HasPrefix(c.kx, "ECDH")
			}
		}
		if len(l.items) > 0 {
			p.versions[v] = l
		}
	}
	for _, name := range o.groups {
		g := suite.GroupByName(name)
		if g == nil {
			t.Fatalf("group %q is not in the registry", name)
		}
		if _, ok := p.versions[suite.TLS13]; ok && g.TLS13 {
			p.groups13.items = append(p.groups13.items, g.Code)
		}
		if ec && g.TLS12 && g.Kind == "ec" {
			p.groups12.items = append(p.groups12.items, g.Code)
		}
	}
	p.groups12.order, p.groups12.sorted = order, true
	// Of the key shares that it is sent OpenSSL takes the first that it knows, before 3.5; where it has to ask for one,
	// which a hello without any makes it do, its own list counts, with and without -serverpref.
	p.groups13.order, p.groups13.sorted = policy.ServerOrder, true
	return p
}

// described is one line of `openssl ciphers -V`.
type described struct {
	code   suite.Code
	name   string
	kx, au string // "ECDHEPSK", "RSA"
}

var describedLine = regexp.MustCompile(`^\s*0x(..),0x(..)\s+-\s+(\S+)\s+\S+\s+Kx=(\S+)\s+Au=(\S+)`)

// expand lists the suites that OpenSSL would offer or take in one version.
func (o *openSSL) expand(t testing.TB, v suite.Version) []described {
	args := append(slices.Clone(o.program[1:]), "ciphers", "-s", "-V", versionOption[v])
	if o.psk {
		args = append(args, "-psk")
	}
	if v == suite.TLS13 {
		args = append(args, "-ciphersuites", o.suites)
	}
	out, err := exec.Command(o.program[0], append(args, o.ciphers)...).Output()
	if err != nil {
		t.Fatalf("%s %v: %v", o.program[0], args, err)
	}
	var l []described
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		m := describedLine.FindStringSubmatch(lines.Text())
		if m == nil {
			t.Fatalf("openssl ciphers prints %q", lines.Text())
		}
		code, err := strconv.ParseUint(m[1]+m[2], 16, 16)
		if err != nil {
			t.Fatal(err)
		}
		l = append(l, described{suite.Code(code), m[3], m[4], m[5]})
	}
	return l
}

// serves reports whether the server has what the suite needs beside the cipher list.
func (o *openSSL) serves(c described) bool {
	key, needsKey := map[string]policy.KeyType{"RSA": policy.RSA, "ECDSA": policy.ECDSA, "DSS": dsa}[c.au]
	switch {
	case c.au == "any": // TLS 1.3
		return true
	case needsKey && !slices.Contains(o.keys, key):
		return false
	case strings.HasSuffix(c.kx, "PSK") && !o.psk, c.kx == "SRP":
		return false
	case strings.HasPrefix(c.kx, "DH") && o.noDHE:
		return false
	}
	return true
}

// dsa is a kind of key that no load balancer has, so that package policy does not either.
const dsa policy.KeyType = "DSA"

// dsaFiles makes a DSA key with its certificate.
func dsaFiles(t testing.TB, dir string) (cert, key string) {
	t.Helper()
	cert, key = filepath.Join(dir, "dsa.crt"), filepath.Join(dir, "dsa.key")
	parameters := filepath.Join(dir, "dsa.pem")
	for _, args := range [][]string{
		{"genpkey", "-genparam", "-algorithm", "DSA", "-pkeyopt", "dsa_paramgen_bits:1024", "-out", parameters},
		{"genpkey", "-paramfile", parameters, "-out", key},
		{"req", "-x509", "-new", "-key", key, "-config", requestConfig(t, dir), "-sha256", "-days", "30", "-out", cert},
	} {
		if out, err := exec.Command(testbed.Need(t, "openssl"), args...).CombinedOutput(); err != nil {
			t.Fatalf("openssl %v: %v\n%s", args, err, out)
		}
	}
	return cert, key
}

func requestConfig(t testing.TB, dir string) string {
	path := filepath.Join(dir, "request.cnf")
	text := "[req]\nprompt = no\ndistinguished_name = dn\n[dn]\nCN = " + testbed.HostName + "\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// opensslProgram is how to run the openssl of a release: that of the machine ("3.0"), or one that make peers unpacks.
// It is nil where it is not there.
func opensslProgram(t testing.TB, release string) []string {
	if release == "3.0" {
		return []string{testbed.Need(t, "openssl")}
	}
	root := filepath.Join(testbed.Root(t), ".peers", "openssl", release, "usr")
	libs := filepath.Join(root, "lib", "x86_64-linux-gnu")
	program := []string{"env", "LD_LIBRARY_PATH=" + libs, filepath.Join(root, "bin", "openssl")}
	if loader := filepath.Join(libs, "ld-linux-x86-64.so.2"); exists(loader) {
		program = []string{loader, "--library-path", libs, filepath.Join(root, "bin", "openssl")}
	}
	if !exists(program[len(program)-1]) {
		return nil
	}
	return program
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// sServer starts `openssl s_server` with the configuration of o, with these certificates (at most two).
func (o *openSSL) sServer(t *testing.T, certificates [][2]string, more ...string) *subject {
	port := testbed.FreePort(t)
	args := append(slices.Clone(o.program[1:]), "s_server", "-accept", fmt.Sprintf("127.0.0.1:%d", port), "-www", "-no_ticket", "-legacy_renegotiation",
		"-cipher", o.ciphers, "-groups", o.opensslGroups())
	for i, c := range certificates {
		prefix := []string{"-", "-d"}[i]
		args = append(args, prefix+"cert", c[0], prefix+"key", c[1])
	}
	if o.suites != "" {
		args = append(args, "-ciphersuites", o.suites)
	}
	if o.psk {
		args = append(args, "-psk", preSharedKey)
	}
	if !o.clientOrder {
		args = append(args, "-serverpref")
	}
	for v, option := range versionOption {
		if !slices.Contains(o.versions, v) {
			args = append(args, "-no"+strings.Replace(option, "-", "_", 1))
		}
	}
	s := testbed.Run(t, port, o.program[0], append(args, more...)...)
	return &subject{addr: s.Addr, serverName: testbed.HostName, truth: o.truth(t), openssl: o}
}
