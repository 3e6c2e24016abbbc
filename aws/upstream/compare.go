// Package upstream compares Parley's tables of predefined security policies with what AWS tells of them today.
package upstream

import (
	"fmt"
	"slices"
	"strings"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// Kind is what a difference is about.
type Kind string

// Kinds.
const (
	Added     Kind = "policy-added"    // AWS has it, the table does not
	Dropped   Kind = "policy-dropped"  // the table says that it is documented, and AWS does not tell of it
	Listed    Kind = "policy-listed"   // AWS tells of it; the table knows it from other sources only
	Versions  Kind = "protocols"       //
	Suites    Kind = "suites"          //
	Order     Kind = "order"           // of suites that are the same, or who decides it
	Balancers Kind = "load-balancers"  // types that it can be set on
	Attribute Kind = "attribute"       // of Classic policies: added or dropped
	Sequence  Kind = "attribute-order" // Classic's attributes come in another order, which is that of preference
	Default   Kind = "attribute-default"
	Unread    Kind = "unreadable" // AWS tells something that Parley does not know
)

// Difference is one thing that AWS tells otherwise than the table.
type Difference struct {
	Family  policy.Family `json:"family"`
	Kind    Kind          `json:"kind"`
	Name    string        `json:"name"` // of a policy or attribute
	Added   []string      `json:"added,omitempty"`
	Dropped []string      `json:"dropped,omitempty"`
	Table   []string      `json:"table,omitempty"` // of an order: what the table has
	AWS     []string      `json:"aws,omitempty"`   // of an order: what AWS has
	Text    string        `json:"text"`
}

// Described is a policy of ALB and NLB, as DescribeSSLPolicies tells of it.
type Described struct {
	Name      string
	Versions  []string
	Suites    []string // in order of priority
	Balancers []string // application, network
}

// CompareELB compares the table of policies of ALB and NLB with what AWS tells. asked are the types of load balancers that AWS
// was asked about.
func CompareELB(table []*policy.Policy, told []Described, asked []string) []Difference {
	var l []Difference
	byName := map[string]*policy.Policy{}
	for _, p := range table {
		byName[p.Name] = p
	}
	seen := map[string]bool{}
	for _, d := range told {
		seen[d.Name] = true
		d.Versions = canonical(d.Versions)
		p := byName[d.Name]
		if p == nil {
			l = append(l, Difference{Family: policy.AWS, Kind: Added, Name: d.Name, Added: slices.Concat(d.Versions, d.Suites),
				Text: fmt.Sprintf("new: %s; %d suites", strings.Join(d.Versions, ", "), len(d.Suites))})
			continue
		}
		l = append(l, listed(p)...)
		l = append(l, lists(policy.AWS, d.Name, Versions, versionNames(p.Versions), d.Versions)...)
		l = append(l, compareSuites(policy.AWS, d.Name, p.Suites, d.Suites)...)
		var ours []string
		for _, b := range p.LoadBalancers {
			if slices.Contains(asked, b) {
				ours = append(ours, b)
			}
		}
		l = append(l, lists(policy.AWS, d.Name, Balancers, ours, d.Balancers)...)
	}
	return append(l, dropped(table, seen)...)
}

// listed tells of a policy that AWS lists though the table knows it from other sources only. That a retired or undocumented one is
// still there is no news.
func listed(p *policy.Policy) []Difference {
	switch p.Status {
	case "documented", "legacy-undocumented", "retired":
		return nil
	}
	return []Difference{{Family: p.Family, Kind: Listed, Name: p.Name, Text: "AWS tells of it; the table calls it " + p.Status}}
}

// dropped tells of documented policies that AWS does not list.
func dropped(table []*policy.Policy, seen map[string]bool) []Difference {
	var l []Difference
	for _, p := range table {
		if !seen[p.Name] && p.Status == "documented" {
			l = append(l, Difference{Family: p.Family, Kind: Dropped, Name: p.Name, Text: "AWS does not tell of it any more"})
		}
	}
	return l
}

// lists compares two sets.
func lists(f policy.Family, name string, kind Kind, table, told []string) []Difference {
	added, gone := without(told, table), without(table, told)
	if len(added)+len(gone) == 0 {
		return nil
	}
	return []Difference{{Family: f, Kind: kind, Name: name, Added: added, Dropped: gone, Text: signs(string(kind), added, gone)}}
}

// compareSuites compares suites as sets, and where these are the same their order.
func compareSuites(f policy.Family, name string, table []suite.Code, told []string) []Difference {
	var ours, theirs []string
	for _, c := range table {
		ours = append(ours, c.OpenSSL())
	}
	var l []Difference
	for _, n := range told {
		c, ok := code(n)
		if !ok {
			l = append(l, Difference{Family: f, Kind: Unread, Name: name, Added: []string{n}, Text: "a cipher suite that Parley does not know: " + n})
			theirs = append(theirs, n)
			continue
		}
		theirs = append(theirs, c.OpenSSL())
	}
	if d := lists(f, name, Suites, ours, theirs); d != nil {
		return append(l, d...)
	}
	if !slices.Equal(ours, theirs) {
		l = append(l, Difference{Family: f, Kind: Order, Name: name, Table: ours, AWS: theirs, Text: "order: " + moved(ours, theirs)})
	}
	return l
}

// code finds a suite by a name that AWS uses; the guides of 2023 spell those of TLS 1.3 with hyphens.
func code(name string) (suite.Code, bool) {
	for _, n := range []string{name, strings.ReplaceAll(name, "-", "_")} {
		if s := suite.ByName(n); s != nil {
			return s.Code, true
		}
	}
	return 0, false
}

// moved says which part of an order is another one: what both have before and behind it is left out.
func moved(table, told []string) string {
	from, end := 0, len(table)
	for from < end && table[from] == told[from] {
		from++
	}
	for end > from && table[end-1] == told[end-1] {
		end--
	}
	return fmt.Sprintf("%s; the table has %s", strings.Join(told[from:end], ", "), strings.Join(table[from:end], ", "))
}

func signs(what string, added, gone []string) string {
	var parts []string
	for _, a := range added {
		parts = append(parts, "+"+a)
	}
	for _, g := range gone {
		parts = append(parts, "-"+g)
	}
	return what + ": " + strings.Join(parts, " ")
}

func versionNames(l []suite.Version) []string {
	var names []string
	for _, v := range l {
		names = append(names, v.String())
	}
	return names
}

// canonical spells versions as Parley does: the API's TLSv1 is TLSv1.0. One that Parley does not know stays as it is.
func canonical(names []string) []string {
	var l []string
	for _, n := range names {
		if v, err := suite.ParseVersion(n); err == nil {
			n = v.String()
		}
		l = append(l, n)
	}
	return l
}

// without returns the elements of a that are not in b, each once.
func without(a, b []string) []string {
	var l []string
	for _, x := range a {
		if !slices.Contains(b, x) && !slices.Contains(l, x) {
			l = append(l, x)
		}
	}
	return l
}
