package interop

import (
	"fmt"
	"slices"
	"testing"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/scan"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// TestScanSeesThePolicy scans every server of the matrix and demands the configured policy back: every
// version, suite and group that the certificates can serve and that was asked for, and no other.
func TestScanSeesThePolicy(t *testing.T) {
	for _, s := range subjects(t) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			if name, ok := s.config.Installed(t); !ok {
				testbed.Missing(t, name)
			}
			server := s.start(t)
			p := &probe.Prober{Timeout: whyTimeout, Parallel: s.queue()}
			e := scan.Quick(t.Context(), p, probe.Target{Address: server.Addr}, scan.Options{ServerName: testbed.HostName, Budget: 40})
			for _, d := range misseen(e.Policy, e.GroupsAsked, true, server.Policy, server.Identity) {
				t.Error(d)
			}
			if got, want := keys(&e.Identity), keys(server.Identity); !sameSet(got, want) {
				t.Errorf("certificates: saw %v, configured %v", got, want)
			}
			if p.Connections() > 40 || p.RoundTrips() > 6 && s.queue() == 0 {
				t.Errorf("%d connections, %d round trips", p.Connections(), p.RoundTrips())
			}
			t.Logf("%d connections, %d round trips", p.Connections(), p.RoundTrips())
		})
	}
}

// misseen lists where what was seen of a server is not what it enforces. Groups outside asked may be missing, and
// suites unless all were asked for.
func misseen(seen *policy.Policy, asked []suite.Group, all bool, p *policy.Policy, id *policy.Identity) []string {
	var l []string
	differ := func(what string, got, want any) {
		l = append(l, fmt.Sprintf("%s: saw %v, configured %v", what, got, want))
	}
	var suites []suite.Code
	for _, c := range p.Suites {
		if slices.ContainsFunc(p.Versions, func(v suite.Version) bool { return served(c, v, id) }) {
			suites = append(suites, c)
		}
	}
	var versions []suite.Version
	for _, v := range p.Versions {
		if slices.ContainsFunc(suites, func(c suite.Code) bool { return served(c, v, id) }) {
			versions = append(versions, v)
		}
	}
	if !slices.Equal(seen.Versions, versions) {
		differ("versions", seen.Versions, versions)
	}
	strange := func(c suite.Code) bool { return !slices.Contains(suites, c) }
	if all && !sameSet(seen.Suites, suites) || slices.ContainsFunc(seen.Suites, strange) {
		differ("suites", names(seen.Suites), names(suites))
	}
	for _, g := range p.Groups {
		if slices.Contains(asked, g) && !slices.Contains(seen.Groups, g) {
			differ("groups", seen.Groups, p.Groups)
		}
	}
	for _, g := range seen.Groups {
		if !slices.Contains(p.Groups, g) {
			differ("groups", seen.Groups, p.Groups)
		}
	}
	if o := seen.Order; o != policy.OrderUnknown && o != p.Order {
		differ("order", o, p.Order)
	}
	return l
}

func keys(id *policy.Identity) []string {
	var l []string
	for _, c := range id.Certificates {
		l = append(l, fmt.Sprint(c.KeyType, c.Bits, c.Curve))
	}
	return l
}

// served reports whether some certificate serves the suite in this version.
func served(c suite.Code, v suite.Version, id *policy.Identity) bool {
	s := suite.ByCode(c)
	return s.UsableIn(v) && canSign([]suite.Code{c}, id, v)
}

func sameSet[T interface {
	~int | ~uint16 | ~uint32 | ~string
}](a, b []T) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}
