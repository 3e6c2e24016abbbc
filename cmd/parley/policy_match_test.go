package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/scan"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// TestMatchLiveEndpoint configures OpenSSL as predefined policies, scans it and demands the policy's name
// back, with exactly those others that such a scan cannot tell apart.
func TestMatchLiveEndpoint(t *testing.T) {
	testbed.Need(t, "openssl")
	for _, c := range []struct {
		policy string
		spec   testbed.Spec
		want   []string
		tell   string
	}{
		{"TLS13-1-2-2021-06", testbed.RSA2048, []string{"TLS13-1-2-2021-06"}, ""},
		{"TLS13-1-2-2021-06", testbed.P256, []string{"TLS13-1-2-2021-06", "TLS13-1-2-Ext1-2021-06"}, "a certificate of another kind than ECDSA, which hides AES128-GCM-SHA256, AES128-SHA256, AES256-GCM-SHA384, 1 more; until then only the API of the load balancer tells"},
		{"TLS13-1-2-Ext1-2021-06", testbed.RSA2048, []string{"TLS13-1-2-Ext1-2021-06"}, ""},
		{"TLS13-1-0-2021-06", testbed.RSA2048, []string{"TLS13-1-0-2021-06"}, ""},
		{"TLS13-1-3-2021-06", testbed.P256, []string{"TLS13-1-3-2021-06"}, ""},
		{"TLS13-1-2-Ext2-FIPS-2023-04", testbed.RSA2048, []string{"TLS13-1-2-Ext2-FIPS-2023-04"}, ""},
		{"TLS13-1-2-RFC9151-INTEROP4-FIPS-2023-07", testbed.RSA2048, []string{"TLS13-1-2-RFC9151-INTEROP4-FIPS-2023-07", "TLS13-1-2-CNSA2-INTEROP3-FIPS-PQ-2026-07"}, "offering only the groups MLKEM1024 in TLS 1.3"},
		{"2016-08", testbed.RSA2048, []string{"2016-08", "2015-05"}, "nothing from outside: only the API of the load balancer tells"},
		{"2016-08", testbed.P256, []string{"2016-08", "2015-05", "FS-2018-06", "TLS-1-0-2015-04"}, "a certificate of another kind"},
		{"TLS-1-2-2017-01", testbed.RSA2048, []string{"TLS-1-2-2017-01"}, ""},
		{"FS-1-2-Res-2020-10", testbed.RSA2048, []string{"FS-1-2-Res-2020-10"}, ""},
		{"GCP-RESTRICTED", testbed.RSA2048, []string{"GCP-RESTRICTED"}, ""},
	} {
		t.Run(c.policy+" "+string(c.spec.Key), func(t *testing.T) {
			p := policy.ByName(c.policy)
			s := startOpenSSL(t, p, testbed.Make(t, c.spec))
			var prober probe.Prober
			e := scan.Quick(context.Background(), &prober, probe.Target{Address: s.Addr}, scan.Options{ServerName: testbed.HostName})
			m := matchPolicy(s.Addr, e.Policy, viewOf(e), append(policy.InFamily(policy.AWS), policy.InFamily(policy.Google)...))
			var got []string
			for _, x := range m.Matches {
				if x.Exact {
					got = append(got, strings.TrimPrefix(x.Name, "ELBSecurityPolicy-"))
				}
			}
			if (m.TellApart == "") != (c.tell == "") || !strings.HasPrefix(m.TellApart, c.tell) {
				t.Errorf("told apart by %q, want %q", m.TellApart, c.tell)
			}
			slices.Sort(got)
			slices.Sort(c.want)
			if !slices.Equal(got, c.want) {
				t.Errorf("matches %q, want %q\nnearest %+v\nsaw %+v", got, c.want, m.Matches, m.Observed)
			}
		})
	}
}

// startOpenSSL starts openssl s_server with the policy's versions, suites in order and groups.
func startOpenSSL(t *testing.T, p *policy.Policy, id *testbed.Identity) *testbed.Server {
	port := testbed.FreePort(t)
	args := []string{"s_server", "-accept", fmt.Sprintf("127.0.0.1:%d", port), "-cert", id.Cert, "-key", id.Key, "-quiet", "-serverpref"}
	for v, off := range map[suite.Version]string{suite.TLS10: "-no_tls1", suite.TLS11: "-no_tls1_1", suite.TLS12: "-no_tls1_2", suite.TLS13: "-no_tls1_3"} {
		if !p.Accepts(v) {
			args = append(args, off)
		}
	}
	var old, new []string
	for _, c := range p.Suites {
		if suite.ByCode(c).MaxVersion == suite.TLS13 {
			new = append(new, c.Name())
		} else {
			old = append(old, c.OpenSSL())
		}
	}
	if len(old) > 0 {
		args = append(args, "-cipher", strings.Join(append(old, "@SECLEVEL=0"), ":"))
	}
	if len(new) > 0 {
		args = append(args, "-ciphersuites", strings.Join(new, ":"))
	}
	var groups []string
	for _, g := range p.Groups {
		groups = append(groups, suite.GroupByCode(g).OpenSSL)
	}
	if len(groups) > 0 {
		args = append(args, "-groups", strings.Join(groups, ":"))
	}
	return testbed.Run(t, port, "openssl", args...)
}
