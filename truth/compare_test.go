package truth

import (
	"slices"
	"testing"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// TestCompare: every kind of mistake is seen, and a right picture has none.
func TestCompare(t *testing.T) {
	server := func(l ...suite.Code) list[suite.Code] { return list[suite.Code]{l, policy.ServerOrder, true} }
	groups := list[suite.Group]{[]suite.Group{suite.X25519, suite.Secp256r1}, policy.ServerOrder, true}
	of := func(v suite.Version, l list[suite.Code]) map[suite.Version]list[suite.Code] {
		return map[suite.Version]list[suite.Code]{v: l}
	}
	truth := &picture{versions: of(suite.TLS12, server(0xC02F, 0x009C)), groups12: groups}
	for name, c := range map[string]struct {
		seen  picture
		lossy bool
		want  []mistake
	}{
		"right":            {seen: *truth},
		"version missing":  {picture{groups12: groups}, false, []mistake{"TLSv1.2 missing"}},
		"version unsure":   {picture{groups12: groups, unsure: []string{"TLSv1.2"}}, true, nil},
		"version invented": {picture{versions: map[suite.Version]list[suite.Code]{suite.TLS12: server(0xC02F, 0x009C), suite.TLS11: server(0x002F)}, groups12: groups}, false, []mistake{"TLSv1.1 invented: AES128-SHA"}},
		"suite missing":    {picture{versions: of(suite.TLS12, server(0xC02F)), groups12: groups}, false, []mistake{"TLSv1.2 suites missing: AES128-GCM-SHA256"}},
		"suite unsure":     {picture{versions: of(suite.TLS12, server(0xC02F)), groups12: groups, unsure: []string{"TLSv1.2 AES128-GCM-SHA256"}}, true, nil},
		"unsure for no reason": {picture{versions: of(suite.TLS12, server(0xC02F)), groups12: groups, unsure: []string{"TLSv1.2 AES128-GCM-SHA256"}}, false,
			[]mistake{"TLSv1.2 suites missing: AES128-GCM-SHA256", "unsure of TLSv1.2 AES128-GCM-SHA256"}},
		"suite invented": {picture{versions: of(suite.TLS12, server(0xC02F, 0x009C, 0x002F)), groups12: groups}, false, []mistake{"TLSv1.2 suites invented: AES128-SHA"}},
		"order": {picture{versions: of(suite.TLS12, server(0x009C, 0xC02F)), groups12: groups}, false,
			[]mistake{"TLSv1.2 suites: in place 1 of the order is AES128-GCM-SHA256, want ECDHE-RSA-AES128-GCM-SHA256"}},
		"whose order": {picture{versions: of(suite.TLS12, list[suite.Code]{[]suite.Code{0xC02F, 0x009C}, policy.ClientOrder, false}), groups12: groups}, false,
			[]mistake{`TLSv1.2 suites: order is "client", want "server"`}},
		"order not proven": {picture{versions: of(suite.TLS12, list[suite.Code]{[]suite.Code{0xC02F, 0x009C}, policy.ServerOrder, false}), groups12: groups}, false,
			[]mistake{"TLSv1.2 suites: order is not proven"}},
		"groups": {picture{versions: truth.versions, groups13: groups}, false,
			[]mistake{"TLSv1.3 groups invented: x25519, secp256r1", "before TLSv1.3 groups missing: x25519, secp256r1"}},
	} {
		if got := compare(truth, &c.seen, c.lossy); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
