package store

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/parley-tls/parley/elbapi/sigv4"
)

const owner = "111122223333"

// full is an account with something of everything.
func full() *Account {
	r := &Region{Account: owner, Name: "eu-west-1"}
	when := time.Date(2026, 11, 28, 1, 2, 3, 0, time.UTC)
	weight, yes := 3, true
	for _, kind := range []string{Application, Network, Gateway, Classic} {
		l := &LoadBalancer{Name: kind, Type: kind, Scheme: "internal", DNSName: kind + ".example.com", HostedZone: "Z1", Created: when, State: "active", VPC: "vpc-1",
			Zones:          []Zone{{Name: "eu-west-1a", Subnet: "subnet-1", Addresses: []Address{{IP: "192.0.2.1", Allocation: "eipalloc-1"}}}},
			SecurityGroups: []string{"sg-1"}, IPAddressType: "ipv4", Attributes: map[string]string{"a": "b"}, Tags: map[string]string{"t": ""}}
		l.ARN = r.NewLoadBalancerARN(kind, kind)
		x := &Listener{Port: 443, Protocol: "HTTPS", SSLPolicy: "ELBSecurityPolicy-2016-08", Certificates: []string{"c"}, ALPN: []string{"None"}, MutualTLS: &MutualTLS{Mode: "verify", TrustStore: "t", IgnoreExpiry: true},
			Actions: []Action{{Type: "forward", ForwardConfig: &Forward{TargetGroups: []WeightedGroup{{TargetGroupArn: "g", Weight: &weight}}, TargetGroupStickinessConfig: &Stickiness{Enabled: &yes}}},
				{Type: "authenticate-oidc", AuthenticateOidcConfig: &OIDC{Issuer: "i", AuthenticationRequestExtraParams: map[string]string{"p": "q"}}}},
			Attributes: map[string]string{"x": "y"}, Tags: map[string]string{"u": "v"}}
		if kind == Classic {
			l.Classic = &ClassicParts{Policies: []ClassicPolicy{{Name: "p", Type: "SSLNegotiationPolicyType", Attributes: []ClassicAttribute{{"Protocol-TLSv1.2", "true"}}}},
				Instances: []Target{{ID: "i-1", State: "InService"}}, HealthCheck: HealthCheck{Interval: 30}, Attributes: map[string]string{"CrossZone": "true"}, BackendPolicies: map[int][]string{80: {"q"}}}
			x.InstancePort, x.InstanceProtocol, x.Policies = 80, "HTTP", []string{"p"}
		} else {
			x.ARN, x.RuleID = NewListenerARN(l.ARN), NewID()
		}
		l.Listeners = []*Listener{x}
		r.AddLoadBalancer(l)
	}
	r.AddTargetGroup(&TargetGroup{ARN: r.ARN("targetgroup/web/" + NewID()), Name: "web", Protocol: "HTTP", Port: 80, VPC: "vpc-1", TargetType: "ip", ProtocolVersion: "HTTP1", IPAddressType: "ipv4",
		HealthCheck: HealthCheck{Protocol: "HTTP", Port: "traffic-port", Path: "/", Off: true, Interval: 30, Timeout: 5, Healthy: 5, Unhealthy: 2, HTTPCode: "200"},
		Targets:     []Target{{ID: "10.0.0.1", Port: 80, Zone: "eu-west-1a", State: "unhealthy", Reason: "Target.Timeout", Description: "d"}}})
	r.TrustStores = []*TrustStore{{ARN: r.ARN("truststore/t/" + NewID()), Name: "t", Status: "ACTIVE", CAs: 2, Revoked: 1}}
	r.Certificates = []*Certificate{{ARN: "arn:aws:acm:eu-west-1:111122223333:certificate/1", Domain: "example.com", Names: []string{"example.com"}, Key: "RSA_2048", Status: "ISSUED", NotBefore: when, NotAfter: when}}
	r.Subnets = []Subnet{{"subnet-1", "eu-west-1a", "vpc-1"}}
	r.SecurityGroups = []string{"sg-1"}
	r.Quotas = map[string]int{"target-groups": 5}
	return &Account{ID: owner, Alias: "shop", Keys: []sigv4.Key{{ID: "AKID", Secret: "s"}, {ID: "ASIA", Secret: "s", Token: "t", Expires: when, Subject: "arn:aws:sts::111122223333:assumed-role/r/s"}},
		Regions: map[string]*Region{"eu-west-1": r}, ServerCertificates: []*Certificate{{ARN: "arn:aws:iam::111122223333:server-certificate/old"}}}
}

var same = cmp.Options{cmpopts.IgnoreUnexported(Region{})}

// TestFile makes changes, and finds them all in another store that reads the file.
func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "account.json")
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	a := full()
	if err := s.AddAccount(a); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(owner, "us-east-1", func(r *Region) error {
		r.AddLoadBalancer(&LoadBalancer{ARN: r.NewLoadBalancerARN(Network, "n"), Name: "n", Type: Network})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	again, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s.accounts, again.accounts, same); diff != "" {
		t.Error(diff)
	}
	key, ok := again.Key("ASIA")
	if !ok || key.Account != owner || key.Token != "t" {
		t.Errorf("key %+v", key)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v of a file with secret keys, %v", info.Mode(), err)
	}
	if l, _ := os.ReadDir(filepath.Dir(path)); len(l) != 1 {
		t.Errorf("files are left: %v", l)
	}
	data, err := s.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	copied, err := Load(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s.accounts, copied.accounts, same); diff != "" {
		t.Error(diff)
	}
}

// TestAnError keeps the file as it was, and says so.
func TestAnError(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "account.json")
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.AddAccount(&Account{ID: owner}); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	refused := errors.New("refused")
	if err := s.Update(owner, "eu-west-1", func(r *Region) error { return refused }); err != refused {
		t.Error(err)
	}
	if after, _ := os.ReadFile(path); string(after) != string(before) {
		t.Error("a refused change was saved")
	}
	if err := s.Update("000000000000", "eu-west-1", func(r *Region) error { return nil }); err == nil {
		t.Error("changed an account that is not there")
	}
	// Another program's change is not overwritten.
	if err := os.WriteFile(path, append(before, ' '), 0o600); err != nil {
		t.Fatal(err)
	}
	add := func(r *Region) error {
		r.AddTargetGroup(&TargetGroup{ARN: r.ARN("targetgroup/g/" + NewID())})
		return nil
	}
	if err := s.Update(owner, "eu-west-1", add); err == nil || !strings.Contains(err.Error(), "was changed by another program") {
		t.Errorf("%v", err)
	}
	if after, _ := os.ReadFile(path); string(after) != string(before)+" " {
		t.Error("another program's change is gone")
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(owner, "eu-west-1", add); err == nil {
		t.Error("saved into a folder that is gone")
	}
}

// TestSchema: what is written fits the published schema, and what the schema lets pass can be read.
func TestSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../docs/schema/aws-accounts.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	check := func(data []byte) error {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(v)
	}
	s := New()
	if err := s.AddAccount(full()); err != nil {
		t.Fatal(err)
	}
	data, err := s.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if err := check(data); err != nil {
		t.Error(err)
	}
	for text, good := range map[string]bool{
		`{"schema":"parley/aws-accounts/1","accounts":[]}`: true,
		`{"schema":"parley/aws-accounts/1","accounts":[{"id":"111122223333","keys":[{"id":"a","secret":"b"}],"regions":{"eu-west-1":{}}}]}`: true,
		`{"schema":"parley/aws-accounts/2","accounts":[]}`:                                     false,
		`{"schema":"parley/aws-accounts/1","accounts":[{"id":"1"}]}`:                           false,
		`{"schema":"parley/aws-accounts/1","accounts":[{"id":"111122223333","colour":"red"}]}`: false,
	} {
		if err := check([]byte(text)); (err == nil) != good {
			t.Errorf("%s: %v", text, err)
		}
		if _, err := Load([]byte(text)); (err == nil) != good {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestNothing: to have none and not to say which are two things, and stay so on disk.
func TestNothing(t *testing.T) {
	s := New()
	if err := s.AddAccount(&Account{ID: owner, Regions: map[string]*Region{"known": {Certificates: []*Certificate{}, Subnets: []Subnet{}, SecurityGroups: []string{}}, "unknown": {}}}); err != nil {
		t.Fatal(err)
	}
	data, err := s.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Load(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"known", "unknown"} {
		again.View(owner, name, func(r *Region) error {
			_, known := r.Certificate("arn:aws:acm:eu-west-1:111122223333:certificate/1")
			if want := name == "known"; known != want || (r.Subnets != nil) != want || (r.SecurityGroups != nil) != want {
				t.Errorf("%s: %+v", name, r)
			}
			return nil
		})
	}
}

func TestBadFiles(t *testing.T) {
	for text, want := range map[string]string{
		"":   "not a file of accounts",
		"[]": "not a file of accounts",
		"{}": `schema "": this release reads "parley/aws-accounts/1"`,
		`{"schema":"parley/aws-accounts/2","accounts":[]}`:                                                                                `schema "parley/aws-accounts/2"`,
		`{"schema":"parley/aws-accounts/1","accounts":[]} x`:                                                                              "something follows the document",
		`{"schema":"parley/aws-accounts/1","accounts":[null]}`:                                                                            "account 1 has no id",
		`{"schema":"parley/aws-accounts/1","accounts":[{"id":"1","keys":[]}]}`:                                                            "account 1 has no id of 12 digits",
		`{"schema":"parley/aws-accounts/1","accounts":[{"id":"111122223333","keys":[]},{"id":"111122223333","keys":[]}]}`:                 "account 111122223333 is there twice",
		`{"schema":"parley/aws-accounts/1","accounts":[{"id":"111122223333","keys":[],"regions":{"eu-west-1":null}}]}`:                    "region eu-west-1 is empty",
		`{"schema":"parley/aws-accounts/1","accounts":[{"id":"111122223333","keys":[],"colour":"red"}]}`:                                  `unknown field "colour"`,
		`{"schema":"parley/aws-accounts/1","accounts":[{"id":"111122223333","regions":{"a":{"load_balancers":[null]}}}]}`:                 "load balancer 1 of region a is empty",
		`{"schema":"parley/aws-accounts/1","accounts":[{"id":"111122223333","regions":{"a":{"load_balancers":[{"listeners":[null]}]}}}]}`: "load balancer 1 of region a has an empty listener",
	} {
		path := filepath.Join(t.TempDir(), "f.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func TestARNs(t *testing.T) {
	for _, c := range []struct{ region, kind, want string }{
		{"eu-west-1", Application, "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/x/"},
		{"eu-west-1", Network, "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/net/x/"},
		{"cn-north-1", Gateway, "arn:aws-cn:elasticloadbalancing:cn-north-1:111122223333:loadbalancer/gwy/x/"},
		{"us-gov-west-1", Classic, "arn:aws-us-gov:elasticloadbalancing:us-gov-west-1:111122223333:loadbalancer/x"},
	} {
		r := &Region{Account: owner, Name: c.region}
		l := &LoadBalancer{ARN: r.NewLoadBalancerARN(c.kind, "x"), Type: c.kind}
		if !strings.HasPrefix(l.ARN, c.want) {
			t.Errorf("%s, want %s", l.ARN, c.want)
		}
		if c.kind == Classic {
			continue
		}
		x := &Listener{ARN: NewListenerARN(l.ARN), RuleID: NewID()}
		l.Listeners = []*Listener{x}
		r.AddLoadBalancer(l)
		if gotL, gotX := r.Listener(x.ARN); gotL != l || gotX != x {
			t.Errorf("listener %s not found", x.ARN)
		}
		if want := strings.Replace(x.ARN, ":listener/", ":listener-rule/", 1) + "/" + x.RuleID; RuleARN(x) != want {
			t.Errorf("rule %s, want %s", RuleARN(x), want)
		}
		r.RemoveLoadBalancer(l.ARN)
		if _, x := r.Listener(x.ARN); x != nil || r.LoadBalancer(l.ARN) != nil {
			t.Error("still there")
		}
	}
}
