package vuln

import (
	"bytes"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
	"github.com/parley-tls/parley/testbed/vulnerable"
)

// TestFlaws finds each flaw of servers that are built for it, and nothing in one that has none.
func TestFlaws(t *testing.T) {
	ids := []string{"heartbleed", "ccs-injection", "ticketbleed", "robot", "poodle-tls", "crime", "raccoon", "logjam", "insecure-renegotiation", "client-renegotiation", "fallback-scsv"}
	for _, c := range []struct {
		name  string
		flaws vulnerable.Flaws
		want  verdicts
		says  string // in the summary of what is found
	}{
		{"none", vulnerable.Flaws{}, nil, ""},
		{"long session ids", vulnerable.Flaws{LongID: true}, verdicts{"ticketbleed": Vulnerable}, ""},
		{"alert", vulnerable.Flaws{Oracle: vulnerable.AlertOracle}, verdicts{"robot": Vulnerable}, "weak oracle"},
		{"late alert", vulnerable.Flaws{Oracle: vulnerable.LateAlertOracle}, verdicts{"robot": Vulnerable}, "weak oracle"},
		{"close", vulnerable.Flaws{Oracle: vulnerable.CloseOracle}, verdicts{"robot": Vulnerable}, "weak oracle"},
		{"silence", vulnerable.Flaws{Oracle: vulnerable.SilenceOracle}, verdicts{"robot": Vulnerable}, "weak oracle"},
		{"misplaced secret", vulnerable.Flaws{Oracle: vulnerable.WeakOracle}, verdicts{"robot": Vulnerable}, "weak oracle"},
		{"first bytes", vulnerable.Flaws{Oracle: vulnerable.HeadOracle}, verdicts{"robot": Vulnerable}, "strong oracle"},
		{"answers at random", vulnerable.Flaws{Oracle: vulnerable.UnsteadyOracle}, verdicts{"robot": Unsure}, "not in the same way"},
		{"once", vulnerable.Flaws{Oracle: vulnerable.FirstRoundOracle}, nil, ""},
		{"no padding checked", vulnerable.Flaws{Padding: vulnerable.PaddingIgnored}, verdicts{"poodle-tls": Vulnerable}, ""},
		{"padding checked in part", vulnerable.Flaws{Padding: vulnerable.PaddingFirstByte}, verdicts{"poodle-tls": Vulnerable}, ""},
		{"no padding of data checked", vulnerable.Flaws{Padding: vulnerable.PaddingOfDataAlone}, verdicts{"poodle-tls": Vulnerable}, ""},
		{"neither padding nor MAC of data checked", vulnerable.Flaws{Padding: vulnerable.PaddingOfDataAlone, IgnoresMAC: true}, verdicts{"poodle-tls": Unsure}, "neither"},
		{"no padding of data checked, and no alerts", vulnerable.Flaws{Padding: vulnerable.PaddingOfDataAlone, NoAlerts: true}, verdicts{"poodle-tls": Vulnerable}, ""},
		{"no alerts", vulnerable.Flaws{NoAlerts: true}, nil, ""},
		{"compression", vulnerable.Flaws{Compression: 1}, verdicts{"crime": Vulnerable}, ""},
		{"same Diffie-Hellman value", vulnerable.Flaws{SameDH: true}, verdicts{"raccoon": Vulnerable}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			checks := ids
			if c.flaws.Oracle == vulnerable.UnsteadyOracle { // other checks need a handshake that completes
				checks = []string{"robot"}
			}
			found := examine(t, vulnerable.Start(t, c.flaws), checks...)
			expect(t, found, c.want)
			for id := range c.want {
				if !strings.Contains(found[id].Summary, c.says) {
					t.Errorf("%s: %q lacks %q", id, found[id].Summary, c.says)
				}
			}
		})
	}
}

// TestIntolerance finds what a middlebox does not let through, each by the check that is for it.
func TestIntolerance(t *testing.T) {
	upstream := serving(t, "ELBSecurityPolicy-TLS13-1-2-2021-06", testbed.Go, "")
	old := serving(t, "ELBSecurityPolicy-FS-1-2-Res-2019-08", testbed.Go, "") // it takes a hello of less than 256 bytes
	ids := []string{"version-intolerance", "grease-intolerance", "extension-intolerance", "size-intolerance", "split-hello-intolerance"}
	known := []uint16{hello.ExtServerName, hello.ExtSupportedGroups, hello.ExtPointFormats, hello.ExtSignatureAlgorithms, hello.ExtALPN, hello.ExtExtendedMasterSecret,
		hello.ExtRenegotiationInfo, hello.ExtSupportedVersions, hello.ExtKeyShare, hello.ExtPSKModes, hello.ExtPadding}
	for _, c := range []struct {
		name  string
		block func(first []byte, h *hello.ClientHello) bool
		want  verdicts
	}{
		{"nothing", func([]byte, *hello.ClientHello) bool { return false }, nil},
		{"client_version above TLS 1.2", func(_ []byte, h *hello.ClientHello) bool { return h != nil && h.Version > suite.TLS12 }, verdicts{"version-intolerance": Vulnerable}},
		{"reserved suites", func(_ []byte, h *hello.ClientHello) bool {
			return h != nil && slices.ContainsFunc(h.Suites, func(c suite.Code) bool { return suite.IsGREASE(uint16(c)) })
		}, verdicts{"grease-intolerance": Vulnerable}},
		{"unknown extensions", func(_ []byte, h *hello.ClientHello) bool {
			return h != nil && slices.ContainsFunc(h.Extensions, func(e hello.Extension) bool { return !slices.Contains(known, e.Type) && !suite.IsGREASE(e.Type) })
		}, verdicts{"extension-intolerance": Vulnerable}},
		{"256 to 511 bytes", func(first []byte, _ *hello.ClientHello) bool { return len(first) > 5 && first[3] == 1 }, verdicts{"size-intolerance": Vulnerable}},
		{"more than 1,400 bytes", func(first []byte, _ *hello.ClientHello) bool { return len(first) > 1400 }, verdicts{"size-intolerance": Vulnerable}},
		{"hellos that one read does not give", func(_ []byte, h *hello.ClientHello) bool { return h == nil }, verdicts{"split-hello-intolerance": Vulnerable}},
		{"hellos in more than one record", func(first []byte, h *hello.ClientHello) bool {
			_, rest, err := hello.NextRecord(first)
			return err == nil && len(rest) > 0
		}, verdicts{"split-hello-intolerance": Vulnerable}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			to := upstream
			if c.name == "256 to 511 bytes" {
				to = old
			}
			expect(t, examineVia(t, to, middlebox(t, to, c.block), ids...), c.want)
		})
	}
}

// middlebox relays connections whose first bytes, as one read gives them, it does not block; it resets the others.
func middlebox(t testing.TB, upstream string, block func(first []byte, h *hello.ClientHello) bool) string {
	t.Helper()
	return answering(t, func(c net.Conn) {
		first := make([]byte, 1<<14)
		n, err := c.Read(first)
		if err != nil {
			return
		}
		h, _ := hello.ParseClientHello(first[:n])
		if block(first[:n], h) {
			c.(*net.TCPConn).SetLinger(0)
			return
		}
		u, err := net.Dial("tcp", upstream)
		if err != nil {
			return
		}
		relay(c, io.MultiReader(bytes.NewReader(first[:n]), c), u)
	})
}

// relay carries bytes between a client, of which some may have been read already, and a server, until either hangs up.
func relay(client net.Conn, from io.Reader, server net.Conn) {
	go func() {
		io.Copy(server, from)
		server.Close()
	}()
	io.Copy(client, server)
	server.Close()
}

// TestLossIsNoFlaw: an endpoint that resets every seventh connection is found to be what it is without.
func TestLossIsNoFlaw(t *testing.T) {
	upstream := vulnerable.Start(t, vulnerable.Flaws{})
	var n atomic.Int64
	lossy := middlebox(t, upstream, func([]byte, *hello.ClientHello) bool { return n.Add(1)%7 == 3 })
	found := examine(t, lossy)
	expect(t, found, verdicts{"beast": Vulnerable, "lucky13": Unsure})
}
