package hello

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"math/big"
	mrand "math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-tls/parley/suite"
)

// TestBuiltHelloOffersTheSame builds a hello from the offer of every recorded one and demands the same offer
// back, down to the order of the extensions.
func TestBuiltHelloOffersTheSame(t *testing.T) {
	for name, raw := range corpus(t) {
		h, err := ParseClientHello(raw)
		if err != nil {
			t.Fatal(err)
		}
		want := h.Offer()
		built, err := Build(&want, rand.Reader)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		out, err := built.Marshal()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		again, err := ParseClientHello(out)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := again.Offer()
		// What an offer does not hold cannot be built: the identity of a PSK, the bodies of a few extensions.
		unbuildable := func(t uint16) bool { return t == ExtPreSharedKey || t == 14 }
		want.Extensions = slices.DeleteFunc(want.Extensions, unbuildable)
		if slices.ContainsFunc(h.Extensions, func(e Extension) bool { return unbuildable(e.Type) }) {
			want.PreSharedKey, want.WireSize, got.WireSize = false, 0, 0
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-recorded +built):\n%s", name, d)
		}
	}
}

// browser is an offer as a browser makes it.
func browser() *Offer {
	return &Offer{Versions: []suite.Version{suite.TLS13, suite.TLS12}, Suites: []suite.Code{0x1301, 0xC02B, 0xC02F}, ServerName: "lb.example.com", GREASE: true,
		HasGroups: true, Groups: []suite.Group{suite.X25519, suite.Secp256r1}, KeyShares: []suite.Group{suite.X25519}, HasSchemes: true,
		Schemes: []suite.SignatureScheme{suite.ECDSASecp256r1SHA256, suite.RSAPSSRSAESHA256}, ALPN: []string{"h2", "http/1.1"}, SecureReneg: true, SessionTicket: true, ExtendedMaster: true,
		PSKModes: []byte{1}, PointFormats: []byte{0},
		Extensions: []uint16{0, 23, 65281, 10, 11, 35, 16, 5, 13, 18, 51, 45, 43, 27, 17613, 65037, 21}}
}

// TestBuildGREASE puts GREASE where browsers put it, with two different extension types, and pads.
func TestBuildGREASE(t *testing.T) {
	for seed := range int64(200) {
		o := browser()
		h, err := Build(o, mrand.New(mrand.NewSource(seed)))
		if err != nil {
			t.Fatal(err)
		}
		grease := func(v uint16, ok bool) bool { return ok && suite.IsGREASE(v) }
		n := len(h.Extensions)
		first, last := h.Extensions[0], h.Extensions[n-2]
		if !grease(uint16(h.Suites[0]), true) || !grease(first.Type, len(first.Data) == 0) || !grease(last.Type, len(last.Data) == 1) || first.Type == last.Type || h.Extensions[n-1].Type != ExtPadding {
			t.Fatalf("seed %d: suites %v, extensions %v", seed, h.Suites, h.Extensions)
		}
		shares, err := h.KeyShares()
		if err != nil || len(shares) != 2 || !suite.IsGREASE(uint16(shares[0].Group)) || !bytes.Equal(shares[0].Data, []byte{0}) {
			t.Fatalf("seed %d: key shares %+v, %v", seed, shares, err)
		}
		groups, _ := h.Extension(ExtSupportedGroups)
		if l, ok := read16[suite.Group](groups, false); !ok || l[0] != shares[0].Group || len(l) != 3 {
			t.Fatalf("seed %d: groups %v", seed, l)
		}
		if h.WireSize() != 517 {
			t.Fatalf("seed %d: %d bytes: padding to 512 and the record's header is expected", seed, h.WireSize())
		}
		again, err := Build(o, mrand.New(mrand.NewSource(seed)))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(h.Extensions, again.Extensions); d != "" || !bytes.Equal(h.Random, again.Random) {
			t.Fatalf("seed %d: the same randomness makes another hello: %s", seed, d)
		}
		got, want := h.Offer(), browser()
		want.WireSize = 517
		want.Compression = []byte{0}
		if d := cmp.Diff(*want, got); d != "" {
			t.Fatalf("seed %d (-offer +built):\n%s", seed, d)
		}
	}
}

// TestBuildShares makes a share of every group that has one, of the right size, and of no other.
func TestBuildShares(t *testing.T) {
	sizes := map[suite.Group]int{suite.X25519: 32, suite.X448: 56, suite.Secp256r1: 65, suite.Secp384r1: 97, suite.Secp521r1: 133, suite.FFDHE2048: 256, suite.FFDHE3072: 384,
		suite.FFDHE4096: 512, suite.FFDHE6144: 768, suite.FFDHE8192: 1024, suite.X25519MLKEM768: 1216, suite.SecP256r1MLKEM768: 1249, suite.SecP384r1MLKEM1024: 1665, suite.MLKEM1024: 1568, 0x6399: 1216}
	for g, n := range sizes {
		shares, _, err := makeShares([]suite.Group{g}, rand.Reader)
		if err != nil || len(shares[0].Data) != n {
			t.Errorf("%s: %d bytes, %v", g, len(shares[0].Data), err)
		}
	}
	if _, _, err := makeShares([]suite.Group{0x0001}, rand.Reader); err == nil || !strings.Contains(err.Error(), "key share for sect163k1") {
		t.Errorf("sect163k1: %v", err)
	}
	// A finite-field share is a number of the group that the server checks for: y^q = 1 with p = 2q+1, which
	// an even exponent's square always meets; here only that it is a square below the smallest such prime.
	y, err := ffdhe(2048, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	n := new(big.Int).SetBytes(y)
	root := new(big.Int).Sqrt(n)
	if root.Mul(root, root).Cmp(n) != 0 || n.BitLen() > 2046 {
		t.Errorf("share of %d bits is no square", n.BitLen())
	}
}

// TestBuildErrors says what is missing.
func TestBuildErrors(t *testing.T) {
	if _, err := Build(&Offer{Source: Source{Name: "x"}}, rand.Reader); err == nil || !strings.Contains(err.Error(), "offer of x has no protocol version") {
		t.Errorf("%v", err)
	}
	for n := range 400 {
		if _, err := Build(browser(), bytes.NewReader(make([]byte, n))); err == nil {
			if n < 200 {
				t.Errorf("built from %d bytes of randomness", n)
			}
			return
		} else if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !strings.Contains(err.Error(), "scalar") {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	t.Error("400 bytes of randomness do not suffice")
}

// TestSSLv2FormatIsAccepted sends a built hello in SSLv2 format to OpenSSL, which still reads them.
func TestSSLv2FormatIsAccepted(t *testing.T) {
	addr := sServer(t, "-nocert", "-cipher", "aNULL:@SECLEVEL=0")
	o := &Offer{Versions: []suite.Version{suite.TLS12, suite.TLS11, suite.TLS10, suite.SSLv3, suite.SSLv2}, Suites: []suite.Code{0x0034, 0x010080, 0x0700C0}, SSLv2Format: true, SecureReneg: true}
	a := ask(t, addr, o)
	if a.hello == nil || a.hello.Suite != 0x0034 || a.hello.Version != suite.TLS12 || !a.hello.SecureReneg || a.exchange == nil {
		t.Errorf("%+v, alert %+v", a.hello, a.flight.Alert)
	}
	h, err := Build(o, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	got := h.Offer()
	got.WireSize, got.Compression = 0, nil
	if d := cmp.Diff(*o, got); d != "" {
		t.Errorf("(-offer +built):\n%s", d)
	}
}
