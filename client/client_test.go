package client

import (
	"slices"
	"testing"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// TestProfiles validates every record; loading fails on names that package suite lacks.
func TestProfiles(t *testing.T) {
	if n := len(All()); n < 100 {
		t.Errorf("%d profiles, want at least 100", n)
	}
	for _, p := range All() {
		o := p.Offer()
		if p.Released == "" {
			t.Errorf("%s: no release date", p.Name)
		}
		if !slices.IsSortedFunc(o.Versions, func(a, b suite.Version) int { return int(b) - int(a) }) {
			t.Errorf("%s: versions are not highest first: %v", p.Name, o.Versions)
		}
		for _, v := range o.Versions {
			if !slices.ContainsFunc(o.Suites, func(c suite.Code) bool { s := suite.ByCode(c); return s != nil && s.UsableIn(v) }) && v > suite.SSLv3 && v.Known() {
				t.Errorf("%s offers %s and no suite for it", p.Name, v)
			}
		}
		if p.Hello() == nil {
			continue
		}
		h, err := hello.ParseClientHello(p.Hello())
		if err != nil {
			t.Errorf("%s: %v", p.Name, err)
			continue
		}
		got := h.Offer()
		if !slices.Equal(got.Suites, o.Suites) || !slices.Equal(got.Groups, o.Groups) || !slices.Equal(got.Schemes, o.Schemes) ||
			!slices.Equal(got.Versions, o.Versions) || got.SecureReneg != o.SecureReneg || got.ExtendedMaster != o.ExtendedMaster {
			t.Errorf("%s: the record and the bytes differ\nbytes  %+v\nrecord %+v", p.Name, got, *o)
		}
	}
}

// TestBuiltHelloSaysTheSame builds the hello of every profile and demands the same offer back.
func TestBuiltHelloSaysTheSame(t *testing.T) {
	for _, p := range All() {
		h, err := hello.Build(p.Offer(), zeroes{})
		if err != nil {
			t.Errorf("%s: %v", p.Name, err)
			continue
		}
		got, want := h.Offer(), p.Offer()
		if !slices.Equal(got.Suites, want.Suites) || !slices.Equal(got.Groups, want.Groups) || !slices.Equal(got.Schemes, want.Schemes) ||
			got.Versions[0] != want.Versions[0] || got.SecureReneg != want.SecureReneg || got.ExtendedMaster != want.ExtendedMaster {
			t.Errorf("%s:\nbuilt %+v\nwant  %+v", p.Name, got, *want)
		}
	}
}

type zeroes struct{}

func (zeroes) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 1
	}
	return len(b), nil
}
