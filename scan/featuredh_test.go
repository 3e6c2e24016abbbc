package scan

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// TestDiffieHellman: servers set to known primes, to one of their own and to one that is no prime.
func TestDiffieHellman(t *testing.T) {
	id := testbed.Make(t, testbed.RSA2048)
	dhe := []string{"-tls1_2", "-cipher", "DHE:ECDHE:@SECLEVEL=0"}
	server := func(prime *big.Int) func(t *testing.T) *testbed.Server {
		return func(t *testing.T) *testbed.Server {
			return openssl(t, id, append(dhe, "-dhparam", dhFile(t, prime))...)
		}
	}
	own, _ := new(big.Int).SetString(ownPrime, 16)
	for name, c := range map[string]struct {
		start func(t *testing.T) *testbed.Server
		bits  int
		known string
		safe  State
	}{
		"ffdhe2048": {func(t *testing.T) *testbed.Server {
			return openssl(t, id, append(dhe, "-dhparam", testbed.DHParameters(t, "ffdhe2048"))...)
		}, 2048, "ffdhe2048", Yes},
		"modp_1536": {func(t *testing.T) *testbed.Server {
			return openssl(t, id, append(dhe, "-dhparam", testbed.DHParameters(t, "modp_1536"))...)
		}, 1536, "RFC 3526 group 5", Yes},
		"Apache":    {server(primeNamed(t, "Apache mod_ssl 2.2 built-in, 1024 bits")), 1024, "Apache mod_ssl 2.2 built-in, 1024 bits", Yes},
		"nginx":     {server(primeNamed(t, "nginx built-in, before 1.11.0")), 1024, "nginx built-in, before 1.11.0", Yes},
		"own":       {server(own), 1024, "", Yes},
		"automatic": {func(t *testing.T) *testbed.Server { return openssl(t, id, dhe...) }, 2048, "", ""},
		"haproxy": {func(t *testing.T) *testbed.Server {
			return haproxy(t, id, "ssl-max-ver TLSv1.2 ciphers DHE-RSA-AES128-GCM-SHA256")
		}, 2048, "", ""},
		"gnutls": {func(t *testing.T) *testbed.Server { return gnutls(t, id, "NORMAL:-KX-ALL:+DHE-RSA:-VERS-TLS1.3") }, 0, "", ""},
		"java": {func(t *testing.T) *testbed.Server {
			p := classicPolicy()
			p.Suites = []suite.Code{0x009E, 0xC02F}
			return java(t, id, p)
		}, 2048, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := c.start(t)
			f := learnt(t, s)
			if len(f.DiffieHellman) != 1 {
				t.Fatalf("%+v", f.DiffieHellman)
			}
			d := f.DiffieHellman[0]
			if c.bits > 0 && d.Bits != c.bits || c.safe != "" && (d.Known != c.known || d.Safe != c.safe) || d.Composite || d.Seen < 2 || d.Generator == "" {
				t.Errorf("%+v", d)
			}
			t.Logf("%d bits, %q, safe %s", d.Bits, d.Known, d.Safe)
			expect(t, "reuse", f.KeyShareReuse.DHE.Feature, No)
			if f.KeyShareReuse.DHE.Compared < 2 {
				t.Errorf("%+v", f.KeyShareReuse)
			}
			if c.safe == Yes { // s_client says no more than the size
				if out := sClient(t, s, "-tls1_2", "-cipher", "DHE:@SECLEVEL=0"); !strings.Contains(out, "Server Temp Key: DH, ") {
					t.Errorf("openssl s_client saw no Diffie-Hellman:\n%s", out)
				}
			}
		})
	}
	t.Run("none", func(t *testing.T) {
		f := learnt(t, goServer(t, id, nil))
		if len(f.DiffieHellman) != 0 {
			t.Errorf("%+v", f.DiffieHellman)
		}
		expect(t, "reuse", f.KeyShareReuse.DHE.Feature, NotApplicable)
		expect(t, "reuse", f.KeyShareReuse.ECDHE.Feature, No)
		if expect(t, "reuse", f.KeyShareReuse.Hybrid.Feature, No); f.KeyShareReuse.Hybrid.Compared < 2 {
			t.Errorf("%+v", f.KeyShareReuse)
		}
	})
}

// ownPrime is a safe prime that nobody else has: openssl dhparam 1024 made it.
const ownPrime = "D8EBEEF5DEE7FA7A7F0056B7A9EA10A6C92BAE56BFCE4B74DF795A3DADA67B3DA5EAD95B2738F6852E5D044896A53D8E30F5DCC71C7B7031C53D3B1B7F14A163" +
	"C2706B202C6C692DCF4710FFE5722D52C8E02E2724ECD57912AD10878BF1724D40590218554AF72FC622082445CD257943518378EB9ABFEFD7BB1611014808E7"

func primeNamed(t *testing.T, name string) *big.Int {
	t.Helper()
	for _, k := range knownPrimes() {
		if k.name == name {
			return new(big.Int).SetBytes(k.prime)
		}
	}
	t.Fatalf("no prime %q", name)
	return nil
}

// dhFile writes parameters with generator 2.
func dhFile(t *testing.T, prime *big.Int) string {
	t.Helper()
	der, err := asn1.Marshal(struct{ P, G *big.Int }{prime, big.NewInt(2)})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "dh.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "DH PARAMETERS", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestComposite: a number that is no prime, one that is no safe prime.
func TestComposite(t *testing.T) {
	own, _ := new(big.Int).SetString(ownPrime, 16)
	composite := new(big.Int).Add(own, big.NewInt(2))
	if safe, isComposite := checkPrime(composite.Bytes(), ""); safe != No || !isComposite {
		t.Errorf("composite: %s, %t", safe, isComposite)
	}
	if safe, isComposite := checkPrime(primeNamed(t, "Java DSA parameters, 1024 bits").Bytes(), ""); safe != No || isComposite {
		t.Errorf("prime: %s, %t", safe, isComposite)
	}
	f := learnt(t, fakeServer{prime: composite.Text(16)}.start(t))
	if len(f.DiffieHellman) != 1 || !f.DiffieHellman[0].Composite {
		t.Errorf("%+v", f.DiffieHellman)
	}
}

// TestClassicalPart finds the server's curve point in a hybrid share.
func TestClassicalPart(t *testing.T) {
	for g, sizes := range map[suite.Group][2]int{suite.X25519MLKEM768: {1088, 32}, suite.SecP256r1MLKEM768: {65, 1088}, suite.SecP384r1MLKEM1024: {97, 1568}, suite.X25519: {32, 0}} {
		first, second := bytes.Repeat([]byte{1}, sizes[0]), bytes.Repeat([]byte{2}, sizes[1])
		want := first
		if g == suite.X25519MLKEM768 {
			want = second
		}
		if got := classicalPart(&hello.ServerHello{Group: g, KeyShare: append(first, second...)}); !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes", g, len(got))
		}
	}
	if got := classicalPart(&hello.ServerHello{Group: suite.X25519MLKEM768, KeyShare: []byte{7}}); len(got) != 1 {
		t.Errorf("a short share: % x", got)
	}
}

// TestPrimesAreBounded: the largest number that a message holds takes no time.
func TestPrimesAreBounded(t *testing.T) {
	d := fakeServer{prime: strings.Repeat("ff", 65535)}
	f := learnt(t, d.start(t))
	if len(f.DiffieHellman) != 1 || f.DiffieHellman[0].Safe != NotTested || f.DiffieHellman[0].Bits != 8*65535 {
		t.Errorf("%d primes", len(f.DiffieHellman))
	}
	if _, err := hex.DecodeString(f.DiffieHellman[0].Prime); err != nil {
		t.Error(err)
	}
}
