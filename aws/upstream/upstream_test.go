package upstream

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-tls/parley/policy"
)

// asAWS describes the table as AWS would if it were the same.
func asAWS() []Described {
	var l []Described
	for _, p := range policy.InFamily(policy.AWS) {
		if p.Status != "documented" {
			continue
		}
		d := Described{Name: p.Name, Versions: versionNames(p.Versions), Balancers: slices.Clone(p.LoadBalancers)}
		for _, c := range p.Suites {
			d.Suites = append(d.Suites, c.OpenSSL())
		}
		l = append(l, d)
	}
	return l
}

var both = []string{"application", "network"}

func TestCompareELB(t *testing.T) {
	table := policy.InFamily(policy.AWS)
	if d := CompareELB(table, asAWS(), both); len(d) > 0 {
		t.Errorf("the table differs from itself: %+v", d)
	}
	told := asAWS()
	find := func(name string) *Described {
		return &told[slices.IndexFunc(told, func(d Described) bool { return d.Name == "ELBSecurityPolicy-"+name })]
	}
	find("TLS13-1-2-2021-06").Versions = []string{"TLSv1.3"}
	r := find("TLS13-1-2-Res-2021-06")
	r.Suites = append(r.Suites[1:], "TLS_SM4_GCM_SM3", "TLS-NEW-1")
	o := find("FS-1-2-Res-2020-10")
	o.Suites[1], o.Suites[2] = o.Suites[2], o.Suites[1]
	find("TLS13-1-0-2021-06").Balancers = []string{"network"}
	told = slices.DeleteFunc(told, func(d Described) bool { return d.Name == "ELBSecurityPolicy-2015-05" })
	told = append(told, Described{Name: "ELBSecurityPolicy-NEW-2027-01", Versions: []string{"TLSv1.3"}, Suites: []string{"TLS_AES_128_GCM_SHA256"}, Balancers: both})
	var got []string
	for _, d := range CompareELB(table, told, both) {
		got = append(got, strings.TrimPrefix(d.Name, "ELBSecurityPolicy-")+" "+string(d.Kind)+": "+d.Text)
	}
	slices.Sort(got)
	want := []string{
		"2015-05 policy-dropped: AWS does not tell of it any more",
		"FS-1-2-Res-2020-10 order: order: ECDHE-ECDSA-AES256-GCM-SHA384, ECDHE-RSA-AES128-GCM-SHA256; the table has ECDHE-RSA-AES128-GCM-SHA256, ECDHE-ECDSA-AES256-GCM-SHA384",
		"NEW-2027-01 policy-added: new: TLSv1.3; 1 suites",
		"TLS13-1-0-2021-06 load-balancers: load-balancers: -application",
		"TLS13-1-2-2021-06 protocols: protocols: -TLSv1.2",
		"TLS13-1-2-Res-2021-06 suites: suites: +TLS_SM4_GCM_SM3 +TLS-NEW-1 -TLS_AES_128_GCM_SHA256",
		"TLS13-1-2-Res-2021-06 unreadable: a cipher suite that Parley does not know: TLS-NEW-1",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestCompareClassic(t *testing.T) {
	var told []DescribedClassic
	for _, p := range policy.InFamily(policy.Classic) {
		d := DescribedClassic{Name: p.Name}
		for _, a := range policy.Attributes() {
			value := "false"
			switch {
			case a.Kind == "protocol" && p.Accepts(a.Version), a.Kind == "cipher" && slices.Contains(p.Suites, a.Code), a.Kind == "option" && p.Order == policy.ServerOrder:
				value = "true"
			case a.Kind == "reference":
				continue
			}
			d.Attributes = append(d.Attributes, policy.AttributeValue{AttributeName: a.Name, AttributeValue: value})
		}
		if p.Status == "documented" || p.Status == "legacy-undocumented" {
			told = append(told, d)
		}
	}
	told = append(told, DescribedClassic{Name: "ELBSample-ELBDefaultCipherPolicy"})
	for _, d := range CompareClassic(policy.InFamily(policy.Classic), told) {
		t.Errorf("the table differs from itself: %+v", d)
	}
	first := &told[0]
	for i := range first.Attributes {
		if a := &first.Attributes[i]; a.AttributeName == "Server-Defined-Cipher-Order" || a.AttributeName == "Protocol-TLSv1" {
			a.AttributeValue = "false"
		}
	}
	var got []string
	for _, d := range CompareClassic(policy.InFamily(policy.Classic), told) {
		got = append(got, d.Text)
	}
	if d := cmp.Diff([]string{"protocols: -TLSv1.0", "order: decided by the client; the table says by the server"}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestCompareAttributes(t *testing.T) {
	var told []DescribedAttribute
	for _, a := range policy.Attributes() {
		told = append(told, DescribedAttribute{Name: a.Name})
	}
	if d := CompareAttributes(policy.Attributes(), told); len(d) > 0 {
		t.Errorf("the table differs from itself: %+v", d)
	}
	told[1].Default = "true"
	told[7], told[8] = told[8], told[7]
	told[20].Name = "Protocol-TLSv1.3"
	var kinds []Kind
	for _, d := range CompareAttributes(policy.Attributes(), told) {
		kinds = append(kinds, d.Kind)
	}
	if d := cmp.Diff([]Kind{Default, Attribute, Attribute, Sequence}, kinds); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
