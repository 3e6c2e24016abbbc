package suite

import (
	"slices"
	"testing"
)

// FuzzNames holds for every name: a suite that has it by one of its namings, and no more than the nearest names that
// were asked for, all of the list.
func FuzzNames(f *testing.F) {
	for _, n := range []string{"AES128-SHA", "TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_AES_128_GCM_SHA256", "0xC02F", "0xc0,0x2f", "TLSv1.2", "p-256", "rsa_pss_rsae_sha256", "", "\x00", "É"} {
		f.Add(n)
	}
	all := make([]string, 0, 512)
	for _, s := range All() {
		all = append(all, s.IANA)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if s := ByName(name); s != nil && ByCode(s.Code) != s {
			t.Fatalf("%q is %+v", name, s)
		}
		if v, err := ParseVersion(name); err == nil && v.String() == "" {
			t.Fatalf("%q is %d", name, v)
		}
		if g := GroupByName(name); g != nil && GroupByCode(g.Code) != g {
			t.Fatalf("%q is %+v", name, g)
		}
		if s := SchemeByName(name); s != nil && SchemeByCode(s.Code) != s {
			t.Fatalf("%q is %+v", name, s)
		}
		near := Nearest(name, all, 3)
		if len(near) > 3 {
			t.Fatalf("%d names", len(near))
		}
		for _, n := range near {
			if !slices.Contains(all, n) {
				t.Fatalf("%q is none of the names", n)
			}
		}
	})
}
