package hello

import (
	"bufio"
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/suite"
)

// answer is what a server's first flight holds.
type answer struct {
	flight   Flight
	hello    *ServerHello
	chain    [][]byte
	exchange *ServerKeyExchange
	request  *CertificateRequest
	types    []uint8
}

// read reads a flight to its end and demands that every message in the clear comes back as the same bytes.
func (a *answer) read(t *testing.T, c net.Conn) {
	t.Helper()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		if ferr := a.flight.Add(buf[:n]); ferr != nil {
			t.Fatalf("%v\n% x", ferr, buf[:n])
		}
		for _, m := range a.flight.Take() {
			a.types = append(a.types, m.Type)
			again, merr := a.message(m)
			if merr != nil {
				t.Fatalf("message %d: %v", m.Type, merr)
			}
			if again != nil && !bytes.Equal(again, m.Marshal()) {
				t.Errorf("message %d is not the same bytes\n got % x\nwant % x", m.Type, again, m.Marshal())
			}
			if m.Type == TypeServerHelloDone || a.hello.Retry {
				return
			}
		}
		if err != nil || a.flight.Encrypted > 0 || a.flight.Alert != nil && a.flight.Alert.Fatal {
			return
		}
	}
}

func (a *answer) message(m Message) (again []byte, err error) {
	switch m.Type {
	case TypeServerHello:
		if a.hello, err = ParseServerHello(m.Body); err == nil {
			again, err = a.hello.Marshal()
		}
	case TypeCertificate:
		if a.chain, err = ParseCertificate(m.Body); err == nil {
			again, err = MarshalCertificate(a.chain)
		}
	case TypeServerKeyExchange:
		if a.exchange, err = ParseServerKeyExchange(m.Body, a.hello.Version, a.hello.Suite); err == nil {
			again, err = a.exchange.Marshal(a.hello.Version, a.hello.Suite)
		}
	case TypeCertificateRequest:
		if a.request, err = ParseCertificateRequest(m.Body, a.hello.Version); err == nil {
			again, err = a.request.Marshal(a.hello.Version)
		}
	}
	return again, err
}

// ask sends a hello to addr and reads the answer.
func ask(t *testing.T, addr string, o *Offer) *answer {
	t.Helper()
	h, err := Build(o, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := h.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write(raw); err != nil {
		t.Fatal(err)
	}
	a := &answer{}
	a.read(t, c)
	return a
}

// sServer starts openssl s_server on a free port and returns its address.
func sServer(t *testing.T, args ...string) string {
	t.Helper()
	need(t, "openssl")
	cmd := exec.Command("openssl", append([]string{"s_server", "-accept", "127.0.0.1:0"}, args...)...)
	in, err := cmd.StdinPipe() // s_server ends with its standard input
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); cmd.Process.Kill(); cmd.Wait() })
	r := bufio.NewReader(out)
	for {
		line, err := r.ReadString('\n')
		if addr, ok := strings.CutPrefix(strings.TrimSpace(line), "ACCEPT "); ok {
			go io.Copy(io.Discard, r)
			return addr
		}
		if err != nil {
			t.Fatalf("openssl s_server: %v %s", err, stderr.String())
		}
	}
}

// identityFiles writes a self-signed certificate and its key.
func identityFiles(t *testing.T, key any) (cert, keyFile string) {
	t.Helper()
	der := selfSigned(t, key)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if err := os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600); err != nil {
		t.Fatal(err)
	}
	return cert, keyFile
}

func selfSigned(t *testing.T, key any) []byte {
	t.Helper()
	var pub any
	switch k := key.(type) {
	case *rsa.PrivateKey:
		pub = k.Public()
	case *ecdsa.PrivateKey:
		pub = k.Public()
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"lb.example.com"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, pub, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// offerOf is an offer of one version.
func offerOf(v suite.Version, code suite.Code, g suite.Group, schemes ...suite.SignatureScheme) *Offer {
	o := &Offer{Versions: []suite.Version{v}, Suites: []suite.Code{code}, ServerName: "lb.example.com", SecureReneg: true, ExtendedMaster: true,
		HasGroups: true, Groups: []suite.Group{g}, PointFormats: []byte{0}, ALPN: []string{"h2"}}
	if v >= suite.TLS12 {
		o.HasSchemes, o.Schemes = true, schemes
	}
	if v == suite.TLS13 {
		o.KeyShares = []suite.Group{g}
	}
	return o
}

// TestOpenSSLServer reads what OpenSSL answers from TLS 1.0 to 1.3.
func TestOpenSSLServer(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	cert, keyFile := identityFiles(t, key)
	addr := sServer(t, "-cert", cert, "-key", keyFile, "-cipher", "ALL:@SECLEVEL=0", "-alpn", "h2", "-Verify", "1", "-CAfile", cert, "-groups", "P-256:X448:ffdhe3072:X25519")
	pss, pkcs := suite.RSAPSSRSAESHA256, suite.RSAPKCS1SHA256
	for _, c := range []struct {
		v      suite.Version
		code   suite.Code
		group  suite.Group
		dh     int
		scheme suite.SignatureScheme
	}{
		{suite.TLS10, 0xC013, suite.Secp256r1, 0, 0},
		{suite.TLS11, 0xC013, suite.X25519, 0, 0},
		{suite.TLS12, 0xC02F, suite.X448, 0, pss},
		{suite.TLS12, 0x009E, 0, 2048, pss}, // DHE with the parameters that fit the key
		{suite.TLS10, 0x0033, 0, 2048, 0},
		{suite.TLS12, 0x002F, 0, 0, 0},
		{suite.TLS13, 0x1301, suite.X25519, 0, 0},
		{suite.TLS13, 0x1302, suite.X448, 0, 0},
		{suite.TLS13, 0x1301, suite.FFDHE3072, 0, 0},
	} {
		group := c.group
		if group == 0 {
			group = suite.Secp256r1
		}
		a := ask(t, addr, offerOf(c.v, c.code, group, pss, pkcs))
		h := a.hello
		if h == nil || h.Version != c.v || h.Suite != c.code || h.Retry || !h.SecureReneg && c.v < suite.TLS13 {
			t.Errorf("%s %s: %+v, alert %+v", c.v, c.code, h, a.flight.Alert)
			continue
		}
		// s_server prefers TLS 1.3; a hello that does not offer it gets the mark (RFC 8446 section 4.1.3).
		if h.Downgraded() != (c.v < suite.TLS13) {
			t.Errorf("%s: downgrade mark: %v", c.v, h.Downgraded())
		}
		if c.v == suite.TLS13 {
			if h.Group != c.group || len(h.KeyShare) == 0 {
				t.Errorf("%s: group %s, share of %d bytes", c.v, h.Group, len(h.KeyShare))
			}
			continue
		}
		if h.ALPN != "h2" || !h.ExtendedMaster || len(a.chain) != 1 || !bytes.Equal(a.chain[0], certDER(t, cert)) {
			t.Errorf("%s %s: ALPN %q, extended master secret %v, %d certificates", c.v, c.code, h.ALPN, h.ExtendedMaster, len(a.chain))
		}
		if k := a.exchange; (k != nil) != (c.group != 0 || c.dh != 0) {
			t.Errorf("%s %s: key exchange %+v", c.v, c.code, k)
		} else if k != nil && (k.Group != c.group || k.DHBits != c.dh || k.Scheme != c.scheme || len(k.Signature) != 256 || c.dh != 0 && !bytes.Equal(k.Generator, []byte{2})) {
			t.Errorf("%s %s: group %s, %d bits, generator % x, scheme %s, signature of %d bytes", c.v, c.code, k.Group, k.DHBits, k.Generator, k.Scheme, len(k.Signature))
		}
		if r := a.request; r == nil || !bytes.Contains(r.Types, []byte{1}) || (len(r.Schemes) > 0) != (c.v == suite.TLS12) || len(r.Names) != 1 {
			t.Errorf("%s %s: certificate request %+v", c.v, c.code, r)
		}
	}
	// A group without a key share is asked for.
	o := offerOf(suite.TLS13, 0x1301, suite.X25519, pss)
	o.KeyShares = nil
	if a := ask(t, addr, o); a.hello == nil || !a.hello.Retry || a.hello.Group != suite.X25519 || a.hello.KeyShare != nil {
		t.Errorf("without key shares: %+v, alert %+v", a.hello, a.flight.Alert)
	}
	// A suite that the certificate has no key for is refused.
	if a := ask(t, addr, offerOf(suite.TLS12, 0xC02B, suite.X25519, suite.ECDSASecp256r1SHA256)); a.flight.Alert == nil || !a.flight.Alert.Fatal || a.flight.Alert.Description != 40 {
		t.Errorf("ECDSA at an RSA server: %+v, alert %+v", a.hello, a.flight.Alert)
	}
}

func certDER(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	return block.Bytes
}

// TestOpenSSLWithoutCertificate reads the key exchanges that nothing signs.
func TestOpenSSLWithoutCertificate(t *testing.T) {
	addr := sServer(t, "-nocert", "-cipher", "ALL:PSK:@SECLEVEL=0", "-psk", "aabbcc", "-psk_hint", "who", "-no_tls1_3")
	for _, c := range []struct {
		v     suite.Version
		code  suite.Code
		group suite.Group
		hint  string
	}{
		{suite.TLS12, 0x0034, 0, ""},                  // DH_anon
		{suite.TLS10, 0xC018, suite.Secp256r1, ""},    // ECDH_anon
		{suite.TLS12, 0xC035, suite.Secp256r1, "who"}, // ECDHE_PSK
		{suite.TLS12, 0x0090, 0, "who"},               // DHE_PSK
		{suite.TLS12, 0x008C, 0, "who"},               // PSK
		{suite.TLS11, 0xC035, suite.Secp256r1, "who"}, // ECDHE_PSK
	} {
		a := ask(t, addr, offerOf(c.v, c.code, suite.Secp256r1, suite.RSAPKCS1SHA256))
		k := a.exchange
		if a.hello == nil || a.hello.Suite != c.code || k == nil {
			t.Errorf("%s %s: %+v, alert %+v", c.v, c.code, a.hello, a.flight.Alert)
			continue
		}
		isDH := c.code == 0x0034 || c.code == 0x0090
		if k.Group != c.group || (k.DHBits >= 1024) != isDH || string(k.Hint) != c.hint || k.Scheme != 0 || k.Signature != nil {
			t.Errorf("%s %s: %+v", c.v, c.code, k)
		}
	}
}

// TestGoServer reads what Go's crypto/tls answers from TLS 1.0 to 1.3, and builds hellos that it takes.
func TestGoServer(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := tls.Certificate{Certificate: [][]byte{selfSigned(t, key)}, PrivateKey: key}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS10, NextProtos: []string{"h2"},
		CurvePreferences: []tls.CurveID{tls.X25519MLKEM768, tls.SecP256r1MLKEM768, tls.SecP384r1MLKEM1024, tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { c.(*tls.Conn).Handshake(); c.Close() }()
		}
	}()
	scheme := suite.ECDSASecp256r1SHA256
	for _, c := range []struct {
		v     suite.Version
		code  suite.Code
		group suite.Group
		share int // bytes of the server's
	}{
		{suite.TLS10, 0xC009, suite.Secp256r1, 0}, {suite.TLS11, 0xC00A, suite.X25519, 0}, {suite.TLS12, 0xC02B, suite.Secp521r1, 0},
		{suite.TLS13, 0x1301, suite.X25519, 32}, {suite.TLS13, 0x1301, suite.Secp256r1, 65}, {suite.TLS13, 0x1302, suite.Secp384r1, 97}, {suite.TLS13, 0x1303, suite.Secp521r1, 133},
		{suite.TLS13, 0x1301, suite.X25519MLKEM768, 1088 + 32}, {suite.TLS13, 0x1301, suite.SecP256r1MLKEM768, 65 + 1088}, {suite.TLS13, 0x1301, suite.SecP384r1MLKEM1024, 97 + 1568},
	} {
		a := ask(t, l.Addr().String(), offerOf(c.v, c.code, c.group, scheme))
		h := a.hello
		if h == nil || h.Version != c.v || h.Suite != c.code || h.Retry || h.Downgraded() != (c.v < suite.TLS13) {
			t.Errorf("%s %s: %+v, alert %+v", c.v, c.code, h, a.flight.Alert)
			continue
		}
		if c.v == suite.TLS13 && (h.Group != c.group || len(h.KeyShare) != c.share) {
			t.Errorf("%s: group %s, share of %d bytes", c.v, h.Group, len(h.KeyShare))
		}
		if c.v < suite.TLS13 && (a.exchange == nil || a.exchange.Group != c.group || h.ALPN != "h2") {
			t.Errorf("%s: %+v", c.v, a.exchange)
		}
		if c.v == suite.TLS12 && a.exchange.Scheme != scheme {
			t.Errorf("%s: scheme %s", c.v, a.exchange.Scheme)
		}
	}
}

// TestKeysMatch finishes the key exchange of each hybrid group with the private keys that BuildWithKeys
// returns.
func TestKeysMatch(t *testing.T) {
	groups := []suite.Group{suite.X25519MLKEM768, suite.SecP256r1MLKEM768, suite.SecP384r1MLKEM1024, suite.X25519, suite.Secp521r1}
	h, keys, err := BuildWithKeys(&Offer{Versions: []suite.Version{suite.TLS13}, Suites: []suite.Code{0x1301}, HasGroups: true, Groups: groups, KeyShares: groups}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	shares, err := h.KeyShares()
	if err != nil || len(shares) != len(groups) || len(keys) != len(groups) {
		t.Fatalf("%d shares, %d keys, %v", len(shares), len(keys), err)
	}
	for i, k := range keys {
		ec, kem := shares[i].Data, []byte(nil)
		switch k.Group {
		case suite.X25519MLKEM768:
			kem, ec = ec[:1184], ec[1184:]
		case suite.SecP256r1MLKEM768:
			ec, kem = ec[:65], ec[65:]
		case suite.SecP384r1MLKEM1024:
			ec, kem = ec[:97], ec[97:]
		}
		if !bytes.Equal(ec, k.EC.PublicKey().Bytes()) {
			t.Errorf("%s: another public key", k.Group)
		}
		switch {
		case k.KEM768 != nil && !bytes.Equal(kem, k.KEM768.EncapsulationKey().Bytes()), k.KEM1024 != nil && !bytes.Equal(kem, k.KEM1024.EncapsulationKey().Bytes()):
			t.Errorf("%s: another encapsulation key", k.Group)
		}
	}
	if k := keys[3]; k.EC.Curve() != ecdh.X25519() {
		t.Errorf("X25519: %v", k.EC.Curve())
	}
}
