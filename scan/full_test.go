package scan

import (
	"context"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// TestFull configures real servers and demands what they were configured to be, and no more.
func TestFull(t *testing.T) {
	for _, c := range []struct {
		policy string
		kind   testbed.Kind
		specs  []testbed.Spec
	}{
		{"ELBSecurityPolicy-2016-08", testbed.OpenSSL, []testbed.Spec{testbed.RSA2048}},
		{"ELBSecurityPolicy-TLS13-1-2-2021-06", testbed.OpenSSL, []testbed.Spec{testbed.P256}},
		{"ELBSecurityPolicy-TLS13-1-2-2021-06", testbed.Nginx, []testbed.Spec{testbed.RSA2048}},
		{"ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06", testbed.HAProxy, []testbed.Spec{testbed.RSA2048, testbed.P256}},
		{"ELBSecurityPolicy-2015-05", testbed.GnuTLS, []testbed.Spec{testbed.RSA2048}},
		{"ELBSecurityPolicy-TLS13-1-3-2021-06", testbed.Go, []testbed.Spec{testbed.P256}},
		{"Mozilla-old-5.7", testbed.Nginx, []testbed.Spec{testbed.RSA2048, testbed.P256}},
	} {
		t.Run(c.policy+" by "+string(c.kind), func(t *testing.T) {
			config := testbed.ForPolicy(mustFind(t, c.policy), c.kind)
			if name, ok := config.Installed(t); !ok {
				testbed.Missing(t, name)
			}
			var ids []*testbed.Identity
			for _, s := range c.specs {
				ids = append(ids, testbed.Make(t, s))
			}
			s := testbed.Start(t, config.With(ids...))
			var p probe.Prober
			start := time.Now()
			r := Full(context.Background(), &p, probe.Target{Address: s.Addr}, Options{ServerName: testbed.HostName})
			t.Logf("%d connections, %v", r.Connections, time.Since(start).Round(time.Millisecond))
			for _, v := range r.Versions {
				want := offered(s.Policy, s.Identity, v.Version)
				if c.kind == testbed.HAProxy { // it chooses the certificate before the suite
					slices.SortStableFunc(want, func(a, b suite.Code) int { return byCertificate(a) - byCertificate(b) })
				}
				if v.Accepted != s.Policy.Accepts(v.Version) || !sameSuites(v.Suites, want) || len(v.Unsure) > 0 {
					t.Errorf("%s: accepted %v\n got %v\nwant %v\nunsure %v", v.Version, v.Accepted, names(v.Suites), names(want), v.Unsure)
				}
				if len(want) > 1 && v.Order != s.Policy.Order {
					t.Errorf("%s: order %q, want %q", v.Version, v.Order, s.Policy.Order)
				}
				if v.Sorted && s.Policy.Order == policy.ServerOrder && !slices.Equal(v.Suites, want) {
					t.Errorf("%s: in the order\n     %v\nwant %v", v.Version, names(v.Suites), names(want))
				}
			}
		})
	}
}

func byCertificate(c suite.Code) int {
	if suite.ByCode(c).Authentication == suite.AuthECDSA {
		return 0
	}
	return 1
}

func mustFind(t *testing.T, name string) *policy.Policy {
	t.Helper()
	p, err := policy.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// offered lists the suites of a policy that a server with these certificates accepts in version v.
func offered(p *policy.Policy, id *policy.Identity, v suite.Version) []suite.Code {
	var l []suite.Code
	if !p.Accepts(v) {
		return nil
	}
	for _, c := range p.SuitesFor(v) {
		s := suite.ByCode(c)
		has := func(auth suite.Authentication, types ...policy.KeyType) bool {
			return s.Authentication == auth && slices.ContainsFunc(id.Certificates, func(x policy.Certificate) bool { return slices.Contains(types, x.KeyType) })
		}
		if s.UsableIn(v) && (v == suite.TLS13 || has(suite.AuthRSA, policy.RSA) || has(suite.AuthECDSA, policy.ECDSA, policy.Ed25519)) {
			l = append(l, c)
		}
	}
	return l
}

func sameSuites(a, b []suite.Code) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

func names(l []suite.Code) []string {
	out := make([]string, len(l))
	for i, c := range l {
		out[i] = c.OpenSSL()
	}
	return out
}

// TestFullUnderLoss: an endpoint that resets connections now and then, and one that takes 20 a second, lose nothing
// of the picture.
func TestFullUnderLoss(t *testing.T) {
	s := testbed.Start(t, testbed.ForPolicy(mustFind(t, "ELBSecurityPolicy-TLS13-1-2-2021-06"), testbed.Go).With(testbed.Make(t, testbed.RSA2048)))
	want := Full(context.Background(), &probe.Prober{}, probe.Target{Address: s.Addr}, Options{ServerName: testbed.HostName})
	for name, admit := range map[string]func() func(n int) bool{
		"every 13th reset":              func() func(int) bool { return func(n int) bool { return n%13 != 5 } },
		"all but three of the first 44": func() func(int) bool { return func(n int) bool { return n <= 3 || n > 44 } }, // 40 of them at once
		"20 a second": func() func(int) bool {
			var times []time.Time
			return func(int) bool {
				now := time.Now()
				times = slices.DeleteFunc(times, func(x time.Time) bool { return now.Sub(x) > time.Second })
				if len(times) >= 20 {
					return false
				}
				times = append(times, now)
				return true
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := admitting(t, s.Addr, admit())
			start := time.Now()
			p := &probe.Prober{}
			if strings.HasPrefix(name, "all") {
				p.Parallel = 40
			}
			r := Full(context.Background(), p, probe.Target{Address: address}, Options{ServerName: testbed.HostName})
			t.Logf("%d connections, %v", r.Connections, time.Since(start).Round(time.Millisecond))
			for i, v := range r.Versions {
				if w := want.Versions[i]; v.Accepted != w.Accepted || !slices.Equal(v.Suites, w.Suites) || len(v.Unsure) > 0 {
					t.Errorf("%s: %v, unsure %v; want %v", v.Version, names(v.Suites), names(v.Unsure), names(w.Suites))
				}
			}
			if !slices.Equal(r.Groups13.Groups, want.Groups13.Groups) {
				t.Errorf("groups %v, want %v", r.Groups13.Groups, want.Groups13.Groups)
			}
		})
	}
}

// admitting relays the connections that admit lets through and resets the others. n counts them from 1.
func admitting(t *testing.T, upstream string, admit func(n int) bool) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for n := 1; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if !admit(n) {
				c.(*net.TCPConn).SetLinger(0)
				c.Close()
				continue
			}
			go func() {
				defer c.Close()
				u, err := net.Dial("tcp", upstream)
				if err != nil {
					return
				}
				defer u.Close()
				go io.Copy(u, c)
				io.Copy(c, u)
			}()
		}
	}()
	return l.Addr().String()
}
