package policy

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/parley-tls/parley/suite"
)

// TestAttributes checks the vendor's list: 95 attributes, whose ciphers package suite knows under the name
// that the vendor uses.
func TestAttributes(t *testing.T) {
	count := map[string]int{}
	seen := map[suite.Code]string{}
	for _, a := range Attributes() {
		count[a.Kind]++
		if a.Kind != "cipher" {
			continue
		}
		if other := seen[a.Code]; other != "" {
			t.Errorf("%s and %s have the code %s", a.Name, other, a.Code)
		}
		seen[a.Code] = a.Name
		if s := suite.ByName(a.Name); s == nil || s.Code != a.Code {
			t.Errorf("%s is %s here, package suite has %+v", a.Name, a.Code, s)
		}
	}
	if count["cipher"] != 88 || count["protocol"] != 5 || count["option"] != 1 || count["reference"] != 1 {
		t.Errorf("%v, want 88 ciphers, 5 protocols, 1 option, 1 reference", count)
	}
}

// TestAttributesOrderPredefined: the order of the attributes is the order of every predefined policy.
func TestAttributesOrderPredefined(t *testing.T) {
	for _, p := range InFamily(Classic) {
		last := -1
		for _, c := range p.Suites {
			i := slices.IndexFunc(Attributes(), func(a Attribute) bool { return a.Kind == "cipher" && a.Code == c })
			if i <= last {
				t.Errorf("%s: %s is out of order", p.Name, c.OpenSSL())
			}
			last = i
		}
	}
}

func TestDescribeLoadBalancerPolicies(t *testing.T) {
	data, err := os.ReadFile("testdata/describe-load-balancer-policies.json")
	if err != nil {
		t.Fatal(err)
	}
	l, err := Load(data)
	if err != nil {
		t.Fatal(err)
	}
	if len(l) != 2 || l[0].Name != "legacy-clients" || l[1].Name != "by-reference" {
		t.Fatalf("%+v", l)
	}
	p := l[0]
	if !slices.Equal(p.Versions, []suite.Version{suite.SSLv3, suite.TLS10, suite.TLS12}) || p.Order != ServerOrder || p.Family != Classic || p.Engine != EngineClassic ||
		!slices.Equal(p.Suites, []suite.Code{0x0033, 0x002F, 0x0005, 0x008C, 0x0024, 0x0003}) {
		t.Errorf("%+v", p)
	}
	if r := ByName("classic/TLS-1-2-2017-01"); !slices.Equal(l[1].Suites, r.Suites) || !slices.Equal(l[1].Versions, r.Versions) || l[1].Order != ServerOrder {
		t.Errorf("%+v is not what it refers to", l[1])
	}
}

func TestDescribeSSLPolicies(t *testing.T) {
	data, err := os.ReadFile("testdata/describe-ssl-policies.json")
	if err != nil {
		t.Fatal(err)
	}
	l, err := Load(data)
	if err != nil {
		t.Fatal(err)
	}
	if d := Compare(l[0], ByName("TLS13-1-2-Res-2021-06")); len(l) != 1 || !d.Empty() {
		t.Errorf("the answer of the API differs from the policy of its name: %+v", d)
	}
}

// TestEveryAttribute: a policy of all attributes is accepted, SSLv2 kinds included.
func TestEveryAttribute(t *testing.T) {
	var b strings.Builder
	for _, a := range Attributes() {
		if a.Kind != "reference" {
			b.WriteString(a.Name + "\n")
		}
	}
	l, err := Load([]byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	if p := l[0]; len(p.Suites) != 88 || len(p.Versions) != 5 || len(p.Notes) != 0 || Weakest(p) != suite.Insecure {
		t.Errorf("%d suites, versions %v, notes %q", len(p.Suites), p.Versions, p.Notes)
	}
}

func TestBadPolicyFiles(t *testing.T) {
	for text, want := range map[string]string{
		"":                                         "an empty file, no policy",
		"\x00":                                     "a binary file, no policy: use Parley's own format, AWS's JSON or lines of attribute names",
		"Protocol-TLSv1.2\nAES129-SHA\n":           `line 2: a Classic Load Balancer has no attribute "AES129-SHA": did you mean AES128-SHA, `,
		"Protocol-TLSv1.2":                         "no cipher is enabled: a policy needs at least one",
		"AES128-SHA":                               "no protocol is enabled: a policy needs at least one Protocol-… attribute",
		"AES128-SHA\nAES128-SHA":                   "attribute AES128-SHA twice",
		"AES128-SHA=yes":                           `attribute AES128-SHA is "yes": use true or false`,
		"Reference-Security-Policy=2016":           `Reference-Security-Policy "2016" is no predefined policy that is known here`,
		`{"PolicyDescriptions": []}`:               "no policy of type SSLNegotiationPolicyType in PolicyDescriptions",
		`{"PolicyDescriptions": [}`:                `byte 25: not JSON: invalid character '}' looking for beginning of value`,
		`{"PolicyDescriptions": 7}`:                "byte 24: PolicyDescriptions is a number, want the shape that the AWS command prints",
		`{"SslPolicies": []}`:                      "SslPolicies is empty: no such policy, or no permission to see it",
		"[a]\nversions TLSv1.2":                    "a: a policy needs versions and suites",
		"[a]\nversion TLSv1.2":                     `line 2: a: unknown key "version": did you mean versions?`,
		"[a]\nversions TLSv1.4":                    `line 2: a: unknown protocol version "TLSv1.4": use SSLv2, SSLv3, TLSv1.0, TLSv1.1, TLSv1.2 or TLSv1.3`,
		"[a]\nversions TLSv1.2\nsuites AES129-SHA": `line 3: a: unknown cipher suite "AES129-SHA": did you mean AES128-SHA, `,
		"[a]\nversions TLSv1.3\nsuites AES128-SHA": "a: AES128-SHA cannot be used in any of its versions",
		"[a]\nsuites @X":                           `line 2: a: suites: no list "X": it must stand above`,
		"[a]\nkind secret":                         `line 2: a: kind "secret": use fips, rfc9151`,
		"[a\x1b[31m]\nversions TLSv1.2":            `line 1: control character '\x1b'`,
		"list A B\nlist A C\n[a]":                  "line 2: list A twice",
	} {
		if _, err := Load([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v\nwant %s", text, err, want)
		}
	}
	if _, err := Load(make([]byte, maxFile+1)); err != errTooLarge {
		t.Errorf("%v", err)
	}
}
