package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/render"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

const awsPolicies = "ELBSecurityPolicy-"

// answer is what the tests read of the command's JSON.
type answer struct {
	Matches     []render.PolicyMatch
	TellApart   string          `json:"tell_apart"`
	Observed    json.RawMessage // for the reader of a failure
	Connections int
	RoundTrips  int `json:"round_trips"`
}

// ask runs the command against a server and returns its answer and exit code.
func ask(t *testing.T, address string, args ...string) (*answer, int) {
	t.Helper()
	root := newRoot()
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetArgs(append([]string{"policy", "match", address, "--servername", testbed.HostName, "--json", "--timeout", "20s"}, args...))
	err := root.Execute()
	code := 0
	if exit, ok := err.(*exitError); ok {
		code = exit.code
	} else if err != nil {
		t.Fatal(err)
	}
	var m answer
	if err := json.Unmarshal(out.Bytes(), &m); err != nil {
		t.Fatalf("%v in %s", err, &out)
	}
	doc, err := jsonschema.UnmarshalJSON(&out)
	if err == nil {
		err = matchSchema().Validate(doc)
	}
	if err != nil {
		t.Error(err)
	}
	return &m, code
}

var matchSchema = sync.OnceValue(func() *jsonschema.Schema {
	return jsonschema.NewCompiler().MustCompile("../../docs/schema/policy-match.schema.json")
})

// exact lists the names of the exact matches.
func exact(m *answer) []string {
	var l []string
	for _, x := range m.Matches {
		if x.Exact {
			l = append(l, strings.TrimPrefix(x.Name, awsPolicies))
		}
	}
	slices.Sort(l)
	return l
}

// TestMatchEveryPolicy has OpenSSL enforce every policy of ALB and NLB, each with an RSA certificate, with an ECDSA
// one and with both, and demands its name back with exactly those that cannot be told apart.
func TestMatchEveryPolicy(t *testing.T) {
	kinds := map[string][]policy.KeyType{"rsa-cert": {policy.RSA}, "ecdsa-cert": {policy.ECDSA}, "both-certs": {policy.RSA, policy.ECDSA}}
	enforced := 0
	for _, p := range policy.InFamily(policy.AWS) {
		config := testbed.ForPolicy(p, testbed.OpenSSL)
		if len(config.Departures) > 0 { // post-quantum groups
			config = testbed.ForPolicy(p, testbed.OpenSSL35)
		}
		if len(config.Departures) > 0 {
			t.Logf("%s: not enforced: %q", p.Name, config.Departures)
			continue
		}
		enforced++
		for view, keys := range kinds {
			t.Run(strings.TrimPrefix(p.Name, awsPolicies)+" "+view, func(t *testing.T) {
				t.Parallel()
				if name, ok := config.Installed(t); !ok {
					testbed.Missing(t, name)
				}
				s := testbed.Start(t, config.With(certificates(t, p, keys)...))
				m, code := ask(t, s.Addr, "--family", "aws-elb")
				want := alike(t, p, view, keys)
				if got := exact(m); code != exitGood || !slices.Equal(got, want) {
					t.Errorf("exit code %d, matches %q, want %q\nnearest %+v\nsaw %s", code, got, want, m.Matches, m.Observed)
				}
				if (m.TellApart == "") != (len(want) == 1) {
					t.Errorf("%q are told apart by %q", want, m.TellApart)
				}
				if m.Connections > 40 || m.RoundTrips > 6 {
					t.Errorf("%d connections, %d round trips", m.Connections, m.RoundTrips)
				}
			})
		}
	}
	if enforced < 49 {
		t.Errorf("%d policies are enforced, want all but one", enforced)
	}
}

// certificates makes identities of these kinds that the policy's signature schemes allow.
func certificates(t *testing.T, p *policy.Policy, keys []policy.KeyType) []*testbed.Identity {
	var l []*testbed.Identity
	for _, k := range keys {
		switch {
		case k == policy.RSA:
			l = append(l, testbed.Make(t, testbed.RSA2048))
		case slices.Contains(p.Groups, suite.Secp256r1):
			l = append(l, testbed.Make(t, testbed.P256))
		default:
			l = append(l, testbed.Make(t, testbed.P384))
		}
	}
	return l
}

// alike lists the policies that cannot be told from p: those of its class in the file, which another program worked
// out from versions, suites and groups, that also prefer the same suite. A policy outside the file stands alone.
func alike(t *testing.T, p *policy.Policy, view string, keys []policy.KeyType) []string {
	t.Helper()
	text, err := os.ReadFile("../../policy/testdata/aws-elb-classes.txt")
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(p.Name, awsPolicies)
	here := false
	for line := range strings.Lines(string(text)) {
		switch {
		case line[0] != ' ':
			here = strings.HasPrefix(line, view+"+pq-groups ")
		case here && slices.Contains(strings.Fields(line), name):
			l := slices.DeleteFunc(strings.Fields(line), func(n string) bool {
				return favourite(policy.ByName(n), keys) != favourite(p, keys)
			})
			slices.Sort(l)
			return l
		}
	}
	return []string{name}
}

// favourite is the first suite before TLS 1.3 that these kinds of certificate serve.
func favourite(p *policy.Policy, keys []policy.KeyType) suite.Code {
	for _, c := range p.Suites {
		s := suite.ByCode(c)
		if s.Authentication == suite.AuthRSA && slices.Contains(keys, policy.RSA) || s.Authentication == suite.AuthECDSA && slices.Contains(keys, policy.ECDSA) {
			return c
		}
	}
	return 0
}

// TestMatchOtherServers: the policies that nginx and HAProxy enforce, and those of other families.
func TestMatchOtherServers(t *testing.T) {
	for _, c := range []struct {
		policy string
		kind   testbed.Kind
		specs  []testbed.Spec
		want   []string
		tell   string
	}{
		{"TLS13-1-2-2021-06", testbed.Nginx, []testbed.Spec{testbed.P256}, []string{"TLS13-1-2-2021-06", "TLS13-1-2-Ext1-2021-06"},
			"a certificate of another kind than ECDSA, which hides AES128-GCM-SHA256, AES128-SHA256, AES256-GCM-SHA384, 1 more; until then only the API of the load balancer tells"},
		{"TLS13-1-2-2021-06", testbed.Nginx, []testbed.Spec{testbed.RSA2048, testbed.P256}, []string{"TLS13-1-2-2021-06"}, ""},
		{"TLS13-1-2-Ext2-2021-06", testbed.HAProxy, []testbed.Spec{testbed.RSA2048, testbed.P256}, []string{"TLS13-1-2-Ext2-2021-06"}, ""},
		{"TLS13-1-2-Res-2021-06", testbed.HAProxy, []testbed.Spec{testbed.RSA2048}, []string{"TLS13-1-2-Res-2021-06"}, ""},
		{"TLS13-1-3-2021-06", testbed.HAProxy, []testbed.Spec{testbed.P384}, []string{"TLS13-1-3-2021-06"}, ""},
		{"2016-08", testbed.HAProxy, []testbed.Spec{testbed.RSA2048}, []string{"2015-05", "2016-08"}, "nothing from outside: only the API of the load balancer tells"},
		{"2016-08", testbed.Nginx, []testbed.Spec{testbed.P256}, []string{"2015-05", "2016-08", "FS-2018-06", "TLS-1-0-2015-04"},
			"a certificate of another kind than ECDSA, which hides AES128-GCM-SHA256, AES128-SHA256, AES128-SHA, 4 more; until then only the API of the load balancer tells; nothing tells ELBSecurityPolicy-2016-08 from ELBSecurityPolicy-2015-05 but the API"},
		{"TLS-1-0-2015-04", testbed.Java, []testbed.Spec{testbed.RSA2048}, []string{"TLS-1-0-2015-04"}, ""}, // it has 3DES, OpenSSL has not
		{"GCP-RESTRICTED", testbed.Nginx, []testbed.Spec{testbed.RSA2048}, []string{"GCP-RESTRICTED"}, ""},
	} {
		t.Run(c.policy+" "+string(c.kind), func(t *testing.T) {
			t.Parallel()
			config := testbed.ForPolicy(policy.ByName(c.policy), c.kind)
			if name, ok := config.Installed(t); !ok {
				testbed.Missing(t, name)
			}
			var ids []*testbed.Identity
			for _, s := range c.specs {
				ids = append(ids, testbed.Make(t, s))
			}
			m, code := ask(t, testbed.Start(t, config.With(ids...)).Addr, "--family", "aws-elb,gcp")
			if got := exact(m); code != exitGood || !slices.Equal(got, c.want) {
				t.Errorf("exit code %d, matches %q, want %q\nnearest %+v\nsaw %s", code, got, c.want, m.Matches, m.Observed)
			}
			if (m.TellApart == "") != (c.tell == "") || !strings.HasPrefix(m.TellApart, c.tell) {
				t.Errorf("told apart by %q, want %q", m.TellApart, c.tell)
			}
		})
	}
}

// TestMatchAddresses: machines behind one name that differ, and one that does not answer.
func TestMatchAddresses(t *testing.T) {
	var hosts []string
	port := ""
	for i, name := range []string{"TLS13-1-2-2021-06", "TLS13-1-2-Res-2021-06"} {
		config := testbed.ForPolicy(policy.ByName(name), testbed.Nginx)
		if name, ok := config.Installed(t); !ok {
			testbed.Missing(t, name)
		}
		s := testbed.Start(t, config.With(testbed.Make(t, testbed.RSA2048)))
		host := []string{"127.0.0.1", "127.0.0.2"}[i]
		if i == 0 {
			_, port, _ = net.SplitHostPort(s.Addr)
		} else {
			forward(t, net.JoinHostPort(host, port), s.Addr)
		}
		hosts = append(hosts, host)
	}
	e := &diagnose.Endpoint{Name: testbed.HostName, Host: testbed.HostName, Port: port, Addresses: append(hosts, "127.0.0.3"), ServerName: testbed.HostName}
	m, err := matchEndpoint(context.Background(), e, policy.InFamily(policy.AWS), &matchFlags{timeout: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Addresses) != 3 || !m.AddressesDiffer() || !slices.Equal(m.Addresses[1].Policies, []string{awsPolicies + "TLS13-1-2-Res-2021-06"}) || !strings.Contains(m.Addresses[2].Problem, "refused") {
		t.Errorf("%+v", m.Addresses)
	}
	var text bytes.Buffer
	if err := m.Text(&text, render.Style{}); err != nil || !strings.Contains(text.String(), "The addresses differ:\n  127.0.0.1:") {
		t.Errorf("%v\n%s", err, &text)
	}
	e.Addresses = []string{"127.0.0.3"}
	if _, err := matchEndpoint(context.Background(), e, nil, &matchFlags{timeout: time.Second}); err == nil || !strings.Contains(err.Error(), "parley why") {
		t.Errorf("an address without a listener: %v", err)
	}
}

// forward passes connections on.
func forward(t *testing.T, address, upstream string) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
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
}

// TestIsEndpoint tells hosts from names of policies and files.
func TestIsEndpoint(t *testing.T) {
	for target, want := range map[string]bool{
		"lb.example.com": true, "lb.example.com:8443": true, "https://lb.example.com/x": true, "127.0.0.1": true, "[::1]:443": true, "::1": true, "localhost": true,
		"2016-08": false, "classic/2016-08": false, "TLSv1.2_2021": false, "TLSv1.2_2099": false, "ELBSecurityPolicy-TLS13-1-2-2021-6": false,
		"my-policy.txt": false, "./policy": false, "dir/policies.json#x": false, "-": false, "policy:2016-08": false, "gcp/GCP-MODERN": false,
	} {
		if got := isEndpoint(target); got != want {
			t.Errorf("%s: %t", target, got)
		}
	}
}
