package hello

import (
	"bytes"
	"crypto/rand"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-tls/parley/suite"
)

// recorded parses one hello of the corpus.
func recorded(t testing.TB, name string) *ClientHello {
	t.Helper()
	h, err := ParseClientHello(corpus(t)[name])
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestEdits changes a real hello with every method and demands, after a trip over the wire, exactly the change
// asked for.
func TestEdits(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*ClientHello)
		want func(*Offer)
	}{
		"server name":      {func(h *ClientHello) { h.SetServerName("other.example") }, func(o *Offer) { o.ServerName = "other.example" }},
		"no server name":   {func(h *ClientHello) { h.SetServerName("") }, func(o *Offer) { o.ServerName = ""; drop(o, ExtServerName) }},
		"versions":         {func(h *ClientHello) { h.SetVersions(suite.TLS13) }, func(o *Offer) { o.Versions = []suite.Version{suite.TLS13} }},
		"no versions":      {func(h *ClientHello) { h.SetVersions() }, func(o *Offer) {}},
		"suites":           {func(h *ClientHello) { h.SetSuites(0xC02F) }, func(o *Offer) { o.Suites = []suite.Code{0xC02F} }},
		"groups":           {func(h *ClientHello) { h.SetGroups(suite.Secp384r1, suite.X25519) }, func(o *Offer) { o.Groups = []suite.Group{suite.Secp384r1, suite.X25519} }},
		"groups, no share": {func(h *ClientHello) { h.SetGroups(suite.Secp384r1) }, func(o *Offer) { o.Groups, o.KeyShares = []suite.Group{suite.Secp384r1}, nil }},
		"key shares":       {func(h *ClientHello) { h.SetKeyShares([]KeyShare{{suite.Secp256r1, make([]byte, 65)}}) }, func(o *Offer) { o.KeyShares = []suite.Group{suite.Secp256r1} }},
		"schemes":          {func(h *ClientHello) { h.SetSchemes(suite.Ed25519) }, func(o *Offer) { o.Schemes = []suite.SignatureScheme{suite.Ed25519} }},
		"ALPN":             {func(h *ClientHello) { h.SetALPN("h2", "http/1.1") }, func(o *Offer) { o.ALPN = []string{"h2", "http/1.1"}; o.Extensions = append(o.Extensions, ExtALPN) }},
		"no such removal":  {func(h *ClientHello) { h.RemoveExtension(ExtALPN) }, func(o *Offer) {}},
		"removal":          {func(h *ClientHello) { h.RemoveExtension(ExtSessionTicket) }, func(o *Offer) { o.SessionTicket = false; drop(o, ExtSessionTicket) }},
		"refresh":          {func(h *ClientHello) { _ = h.Refresh(rand.Reader) }, func(o *Offer) {}},
		"below TLS 1.3": {func(h *ClientHello) { h.SetVersions(suite.TLS11, suite.TLS10) }, func(o *Offer) {
			o.Versions, o.KeyShares, o.PSKModes = []suite.Version{suite.TLS11, suite.TLS10, suite.SSLv3}, nil, nil
			drop(o, ExtSupportedVersions, ExtKeyShare, ExtPSKModes)
		}},
	} {
		before := recorded(t, "openssl-3.0-default")
		h := before.Clone()
		c.edit(h)
		if got, err := before.Marshal(); err != nil || !bytes.Equal(got, corpus(t)["openssl-3.0-default"]) {
			t.Errorf("%s: the original has changed", name)
		}
		raw, err := h.Marshal()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, want := roundTrip(t, raw).Offer(), before.Offer()
		c.want(&want)
		got.WireSize, want.WireSize = 0, 0
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func drop(o *Offer, types ...uint16) {
	o.Extensions = slices.DeleteFunc(o.Extensions, func(t uint16) bool { return slices.Contains(types, t) })
}

// TestSetSuitesKeepsSignals keeps the SCSVs and GREASE, which say something other than which suites.
func TestSetSuitesKeepsSignals(t *testing.T) {
	h := &ClientHello{Suites: []suite.Code{0x1A1A, 0x1301, 0xC02F, suite.EmptyRenegotiationInfoSCSV, suite.FallbackSCSV}}
	h.SetSuites(0x002F, 0x0035)
	if want := []suite.Code{0x1A1A, 0x002F, 0x0035, 0x00FF, 0x5600}; !slices.Equal(h.Suites, want) {
		t.Errorf("%v, want %v", h.Suites, want)
	}
}

// TestRefresh changes the random and the session id and nothing else.
func TestRefresh(t *testing.T) {
	a := recorded(t, "openssl-3.0-default")
	b := a.Clone()
	if err := b.Refresh(rand.Reader); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(a.Random, b.Random) || bytes.Equal(a.SessionID, b.SessionID) || len(a.SessionID) != len(b.SessionID) {
		t.Error("random or session id are as before")
	}
	b.Random, b.SessionID = a.Random, a.SessionID
	if d := cmp.Diff(a.Extensions, b.Extensions); d != "" || !slices.Equal(a.Suites, b.Suites) {
		t.Errorf("more has changed: %s", d)
	}
	if err := b.Refresh(bytes.NewReader(nil)); err == nil {
		t.Error("no error without randomness")
	}
}

// TestSetPadding gives a hello the size that is asked for, where it can.
func TestSetPadding(t *testing.T) {
	for size := 100; size < 20000; size += 97 {
		h := recorded(t, "openssl-3.0-default")
		bare := h.WireSize()
		h.SetPadding(size)
		want := size
		if size < bare+4 {
			want = bare
		}
		raw, err := h.Marshal()
		if size > 16384 { // a second record has a header of its own: nothing better than its size can be asked
			continue
		}
		if err != nil || len(raw) != want || h.WireSize() != want {
			t.Errorf("%d bytes asked: %d, %v", size, len(raw), err)
		}
	}
}

// TestLimits refuses to write what no length field can hold, and to wait for what nobody should send.
func TestLimits(t *testing.T) {
	h := recorded(t, "openssl-3.0-default")
	h.SessionID = make([]byte, 256)
	if _, err := h.Marshal(); err == nil {
		t.Error("a session id of 256 bytes is written")
	}
	h = recorded(t, "openssl-3.0-default")
	h.Suites = append(h.Suites, 0x010080)
	if _, err := h.Marshal(); err == nil {
		t.Error("an SSLv2 kind is written into a TLS hello")
	}
	h = recorded(t, "openssl-3.0-default")
	h.Random = h.Random[:31]
	if _, err := h.Marshal(); err == nil {
		t.Error("a random of 31 bytes is written")
	}
	if _, err := ParseClientHello([]byte{22, 3, 1, 0, 4, 1, 2, 0, 1}); err == nil || err == ErrIncomplete {
		t.Errorf("a hello of 128 KiB and a byte: %v", err)
	}
	if _, err := ParseClientHello(AppendRecords(nil, RecordHandshake, suite.TLS10, nil)); err == nil {
		t.Error("an empty record is taken for a hello")
	}
	flood := bytes.Repeat([]byte{22, 3, 1, 0, 0}, maxFragments+2)
	if _, err := ParseClientHello(append(flood, 22, 3, 1, 0, 1, 1)); err == nil {
		t.Error("a flood of empty records is taken for a hello")
	}
}
