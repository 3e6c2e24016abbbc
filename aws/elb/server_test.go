package elb

import (
	"slices"
	"testing"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

func TestServer(t *testing.T) {
	p := policy.ByName("TLS13-1-2-2021-06")
	for _, c := range []struct {
		l    Listener
		alpn []string
		auth policy.ClientAuth
	}{
		{Listener{Kind: ALB, Accepts: p, MutualTLS: "off"}, []string{"h2", "http/1.1"}, policy.ClientAuthNone},
		{Listener{Kind: ALB, Accepts: p, MutualTLS: "verify"}, []string{"h2", "http/1.1"}, policy.ClientAuthRequired},
		{Listener{Kind: ALB, Accepts: p, MutualTLS: "passthrough"}, []string{"h2", "http/1.1"}, policy.ClientAuthRequest},
		{Listener{Kind: NLB, Accepts: p}, nil, policy.ClientAuthNone},
		{Listener{Kind: NLB, Accepts: p, ALPN: "HTTP2Optional"}, []string{"http/1.1", "http/1.0", "h2"}, policy.ClientAuthNone},
		{Listener{Kind: Classic, Accepts: p}, nil, policy.ClientAuthNone},
	} {
		s := c.l.Server()
		if !slices.Equal(s.ALPN.Protocols, c.alpn) || s.ALPN.Strict || s.ClientAuth != c.auth || s.Name != p.Name {
			t.Errorf("%+v gives %+v %q", c.l, s.ALPN, s.ClientAuth)
		}
	}
	if p.ClientAuth != policy.ClientAuthNone || len(p.ALPN.Protocols) > 0 {
		t.Error("the shared policy was changed")
	}
	if s := (&Listener{Kind: ALB}).Server(); s != nil {
		t.Errorf("no policy gives %+v", s)
	}
}

func TestIdentity(t *testing.T) {
	l := Listener{DNSName: "shop-1.eu-west-1.elb.amazonaws.com", Certificates: []Certificate{
		{ARN: "a", Key: "RSA_2048", Names: []string{"*.example.com", "example.com"}, Default: true},
		{ARN: "b", Key: "RSA_4096", Names: []string{"shop.example.org"}},
		{ARN: "c", Key: "EC_secp384r1", Names: []string{"shop.example.org"}}}}
	for name, want := range map[string][]policy.Certificate{
		"www.example.com":  {{KeyType: policy.RSA, Bits: 2048}},
		"shop.example.org": {{KeyType: policy.ECDSA, Bits: 384, Curve: suite.Secp384r1}, {KeyType: policy.RSA, Bits: 4096}},
		"other.example":    {{KeyType: policy.RSA, Bits: 2048}},
		"":                 {{KeyType: policy.RSA, Bits: 2048}},
	} {
		id := l.Identity(name)
		if id == nil || len(id.Certificates) != len(want) {
			t.Errorf("%s: %+v", name, id)
			continue
		}
		for i, c := range id.Certificates {
			if c.KeyType != want[i].KeyType || c.Bits != want[i].Bits || c.Curve != want[i].Curve {
				t.Errorf("%s: certificate %d is %+v", name, i, c)
			}
		}
	}
	if n := l.ServerName(); n != "www.example.com" {
		t.Errorf("clients ask for %s", n)
	}
	if c, ok := (&Certificate{Key: "EC_prime256v1"}).value(); !ok || c.Curve != suite.Secp256r1 || c.Bits != 256 {
		t.Errorf("EC_prime256v1 gives %+v", c)
	}
	for _, key := range []string{"", "RSA", "RSA_x", "EC_none", "DSA_1024"} {
		x := l
		x.Certificates = append(slices.Clone(l.Certificates), Certificate{ARN: "d", Key: key})
		if id := x.Identity("other.example"); id != nil {
			t.Errorf("a key %q gives %+v", key, id)
		}
	}
	if n := (&Listener{DNSName: "x"}).ServerName(); n != "x" {
		t.Errorf("clients ask for %s", n)
	}
}
