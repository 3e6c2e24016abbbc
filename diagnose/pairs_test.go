package diagnose

import (
	"crypto/tls"
	"slices"
	"testing"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// TestPairs: refusals of which more than one explanation comes to mind, with the right one, and the other where
// nobody can tell from outside.
func TestPairs(t *testing.T) {
	only12 := func(o *hello.Offer) { o.Versions = []suite.Version{suite.TLS12} }
	bare := func(o *hello.Offer) { // as a client that knows RSA key exchange alone
		only12(o)
		o.Suites, o.HasGroups, o.Groups, o.KeyShares, o.PointFormats = []suite.Code{0x002F}, false, nil, nil, nil
	}
	oldest := func(o *hello.Offer) {
		*o = hello.Offer{Versions: []suite.Version{suite.TLS10}, Suites: []suite.Code{0x0005, 0x000A}, ServerName: testbed.HostName, SecureReneg: true}
	}
	sslv2 := func(o *hello.Offer) {
		*o = hello.Offer{Versions: []suite.Version{suite.TLS12}, Suites: []suite.Code{0xC02F, 0xC02B, 0xC013}, SSLv2Format: true, SecureReneg: true}
	}
	rules := func(r hello.Rules, change func(*hello.Offer)) *ClientSide {
		c := custom(t, change)
		c.Offer.Accepts = r
		return c
	}
	ecdhe := []string{"-tls1_2", "-serverpref", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256"}
	for _, c := range []struct {
		name   string
		client *ClientSide
		server string
		causes []cause.ID
	}{
		{"a hello without extensions lacks a suite", custom(t, bare), openssl(t, testbed.RSA2048, ecdhe...), []cause.ID{cause.NoCommonCipher}},
		{"a hello without extensions lacks a version", custom(t, oldest), openssl(t, testbed.P256, ecdhe...), []cause.ID{cause.NoCommonVersion}},
		{"the SSLv2 format has no room for groups", custom(t, sslv2), openssl(t, testbed.P256, ecdhe...), []cause.ID{cause.NoCommonGroup}},
		{"the SSLv2 format itself", custom(t, sslv2), goServer(t, configOf(t, testbed.RSA2048)), []cause.ID{cause.SSLv2HelloRefused}},
		{"a certificate's curve that the client did not list", rules(hello.Rules{Known: true, CurveInGroups: true}, func(o *hello.Offer) {
			only12(o)
			o.Groups = []suite.Group{suite.X25519}
		}), goServer(t, configOf(t, testbed.P256)), []cause.ID{cause.NoCommonGroup}},
		{"a list behind the certificate, by twins", custom(t, func(o *hello.Offer) { only12(o); o.Suites = []suite.Code{0xC02B} }), openssl(t, testbed.RSA2048, ecdhe...),
			[]cause.ID{cause.CipherNeedsOtherCertificate, cause.NoCommonCipher}},
		{"a list behind the certificate, of which nothing is known", custom(t, func(o *hello.Offer) { only12(o); o.Suites = []suite.Code{0xC00A} }), openssl(t, testbed.RSA2048, ecdhe...),
			[]cause.ID{cause.NoCommonCipher, cause.CipherNeedsOtherCertificate}},
		{"a list behind the certificate, known by its policy", custom(t, bare), enforced(t, "TLS13-1-2-Ext2-2021-06", testbed.P256), []cause.ID{cause.CipherNeedsOtherCertificate}},
		{"a list without the suite, known by its policy", custom(t, func(o *hello.Offer) { bare(o); o.Suites = []suite.Code{0x000A} }), enforced(t, "TLS13-1-2-Ext2-2021-06", testbed.P256), []cause.ID{cause.NoCommonCipher}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := live(t, c.client, c.server, testbed.HostName, nil)
			var got []cause.ID
			for _, k := range d.Causes {
				got = append(got, k.ID)
			}
			if d.Outcome != Refused || !slices.Equal(got, c.causes) {
				t.Fatalf("outcome %s, causes %+v", d.Outcome, d.Causes)
			}
			if len(got) == 2 && (d.Causes[0].Decide == "" || d.Causes[0].Confidence+d.Causes[1].Confidence > 1) {
				t.Errorf("two causes and no doubt: %+v", d.Causes)
			}
			if d.Connections > 40 || d.RoundTrips > 10 {
				t.Errorf("%d connections, %d round trips", d.Connections, d.RoundTrips)
			}
		})
	}
}

// enforced starts OpenSSL with a predefined policy.
func enforced(t *testing.T, name string, spec testbed.Spec) string {
	return testbed.Start(t, testbed.ForPolicy(policy.ByName(name), testbed.OpenSSL).With(testbed.Make(t, spec))).Addr
}

// TestMarkedDowngrade: a client that retries with TLS_FALLBACK_SCSV at a server that ignores it, but marks its
// answer as a downgrade.
func TestMarkedDowngrade(t *testing.T) {
	config := configOf(t, testbed.RSA2048)
	config.MinVersion = tls.VersionTLS10
	deaf := gate(t, goServer(t, config), everything, func(h *hello.ClientHello) { dropSuite(h, suite.FallbackSCSV) }, 0)
	c := custom(t, func(o *hello.Offer) {
		o.Versions, o.FallbackSCSV, o.Suites = []suite.Version{suite.TLS11}, true, []suite.Code{0xC013, 0x002F}
		o.HasSchemes, o.Schemes = false, nil
	})
	c.Offer.Accepts = hello.Rules{Known: true, ChecksDowngrade: true}
	d := live(t, c, deaf, testbed.HostName, nil)
	if d.Outcome != Refused || len(d.Causes) != 1 || d.Causes[0].ID != cause.InappropriateFallback {
		t.Errorf("outcome %s, causes %+v", d.Outcome, d.Causes)
	}
	c.Offer.Accepts.ChecksDowngrade = false
	if d := live(t, c, deaf, testbed.HostName, nil); d.Outcome != Negotiated {
		t.Errorf("a client that does not look: outcome %s, causes %+v", d.Outcome, d.Causes)
	}
}
