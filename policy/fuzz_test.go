package policy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-tls/parley/suite"
)

// FuzzLoad holds for every policy file, in our own format, as AWS's JSON or as lines of attributes: an error of one
// short line, or policies that make sense.
func FuzzLoad(f *testing.F) {
	for _, name := range []string{"describe-ssl-policies.json", "describe-load-balancer-policies.json"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, text := range []string{
		"list AEAD ECDHE-RSA-AES128-GCM-SHA256\nlist two @AEAD AES128-SHA\n[strict]\nversions TLSv1.2 TLSv1.3\nsuites TLS_AES_128_GCM_SHA256 @two\ngroups x25519\nschemes rsa_pss_rsae_sha256\nsni required\n",
		"[p]\nfamily aws-elb\nversions 0x0303\nsuites 0xC02F 0x0005\norder client\nengine s2n\ndh-bits 1024\nalpn h2 http/1.1\nclient-certificate required\n",
		"# attributes\nProtocol-TLSv1.2\nServer-Defined-Cipher-Order=true\nAES128-SHA = false\nPSK-AES128-CBC-SHA\n",
		"Reference-Security-Policy=ELBSecurityPolicy-2016-08\n",
		`[{"AttributeName":"Protocol-TLSv1","AttributeValue":"true"},{"AttributeName":"RC4-MD5","AttributeValue":"true"}]`,
		`{"SslPolicies":[{"Name":"x","SslProtocols":["TLSv1.3"],"Ciphers":[{"Name":"TLS-AES-128-GCM-SHA256","Priority":1}]}]}`,
		`{"PolicyDescriptions":[{"PolicyName":"x","PolicyTypeName":"SSLNegotiationPolicyType","PolicyAttributeDescriptions":[]}]}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := Load(data)
		if err != nil {
			if text := err.Error(); len(text) > 1000 || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7F }) {
				t.Fatalf("no short line: %q", text)
			}
			return
		}
		if len(l) == 0 {
			t.Fatal("neither a policy nor an error")
		}
		for _, p := range l {
			sound(t, p)
		}
	})
}

// sound demands of a policy what every reader of policies relies on.
func sound(t *testing.T, p *Policy) {
	t.Helper()
	if len(p.Versions) == 0 || len(p.Suites) == 0 || strings.ContainsFunc(p.Name, func(r rune) bool { return r < ' ' }) {
		t.Fatalf("%+v", p)
	}
	seen := make(map[suite.Code]bool)
	for i, c := range p.Suites {
		if suite.ByCode(c) == nil || seen[c] {
			t.Fatalf("suite %d of %q: %s", i, p.Name, c)
		}
		seen[c] = true
	}
	for i, v := range p.Versions {
		if i > 0 && v <= p.Versions[i-1] {
			t.Fatalf("versions %v", p.Versions)
		}
		p.SuitesFor(v)
		p.GroupsFor(v)
	}
	Stricter(p, ByName("2016-08"))
	MatchPolicies(p, View{Order: true}, InFamily(AWS), 1)
}
