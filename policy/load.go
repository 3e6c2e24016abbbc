package policy

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/parley-tls/parley/suite"
)

//go:embed data/*.txt
var dataFiles embed.FS

// registry is every predefined policy, in the order of the data files.
type registry struct {
	all     []*Policy
	byName  map[string]*Policy
	sources map[Family]map[string]string
}

var predefined = sync.OnceValue(func() *registry {
	r := &registry{byName: make(map[string]*Policy), sources: make(map[Family]map[string]string)}
	for _, file := range [...]string{"aws-elb", "aws-classic", "others"} {
		text, err := dataFiles.ReadFile("data/" + file + ".txt")
		if err != nil {
			panic(err)
		}
		f, err := parse(string(text))
		if err != nil {
			panic("policy data: " + file + ": " + err.Error())
		}
		r.all = append(r.all, f.policies...)
		for _, p := range f.policies {
			r.sources[p.Family] = f.sources
		}
	}
	for _, p := range r.all {
		r.byName[strings.ToLower(string(p.Family)+"/"+p.Name)] = p
		for _, n := range shortNames(p) {
			if r.byName[n] == nil {
				r.byName[n] = p
			}
		}
	}
	return r
})

// shortNames are the spellings by which people name a policy, in lower case.
func shortNames(p *Policy) []string {
	full := strings.ToLower(p.Name)
	l := []string{full}
	if short, ok := strings.CutPrefix(full, "elbsecuritypolicy-"); ok {
		l = append(l, short)
	}
	if p.Family == Classic {
		l = append(l, "classic/"+full, "classic/"+strings.TrimPrefix(full, "elbsecuritypolicy-"))
	}
	if p.Family == Mozilla && p.Status != "superseded" {
		l = append(l, full[:strings.LastIndex(full, "-")])
	}
	return l
}

// All returns every predefined policy. The result is shared and must not be changed.
func All() []*Policy { return predefined().all }

// InFamily returns the predefined policies of one family, in the order of the vendor's table.
func InFamily(f Family) []*Policy {
	var l []*Policy
	for _, p := range All() {
		if p.Family == f {
			l = append(l, p)
		}
	}
	return l
}

// Names returns the name of every predefined policy, each once.
func Names() []string {
	var l []string
	for _, p := range All() {
		if !slices.Contains(l, p.Name) {
			l = append(l, p.Name)
		}
	}
	return l
}

// ByName returns the predefined policy of that name, in any case and with or without AWS's prefix
// "ELBSecurityPolicy-". A name that ALB/NLB and Classic share means ALB/NLB; "classic/NAME" or
// "aws-classic/NAME" means Classic. It returns nil if there is none.
func ByName(name string) *Policy {
	return predefined().byName[strings.ToLower(strings.TrimSpace(name))]
}

// DescribeSource says what the source that the predefined policies of family f call key is, "" if there is
// none of that name.
func DescribeSource(f Family, key string) string { return predefined().sources[f][key] }

// Families lists the families of predefined policies, in the order of All.
func Families() []Family { return []Family{AWS, Classic, CloudFront, Azure, Google, Mozilla} }

// Title returns the name of a family as people say it.
func (f Family) Title() string {
	if t, ok := familyTitles[f]; ok {
		return t
	}
	return string(f)
}

var familyTitles = map[Family]string{
	AWS: "AWS Application and Network Load Balancer", Classic: "AWS Classic Load Balancer", CloudFront: "Amazon CloudFront",
	Azure: "Azure Application Gateway", Google: "Google Cloud load balancing", Mozilla: "Mozilla Server Side TLS",
	Observed: "observed", Custom: "custom",
}

// ParseFamily reads a family: its identifier, or a word that people use for it (alb, nlb, clb, azure, google).
func ParseFamily(s string) (Family, error) {
	name := strings.ToLower(strings.TrimSpace(s))
	if alias, ok := familyAliases[name]; ok {
		return alias, nil
	}
	var all []string
	for _, f := range Families() {
		if string(f) == name {
			return f, nil
		}
		all = append(all, string(f))
	}
	return "", fmt.Errorf("unknown family %q: use one of %s", s, strings.Join(all, ", "))
}

var familyAliases = map[string]Family{
	"aws": AWS, "alb": AWS, "nlb": AWS, "elb": AWS, "elbv2": AWS, "classic": Classic, "clb": Classic,
	"azure": Azure, "appgw": Azure, "google": Google,
}

// Find is ByName with an error that names the nearest policies.
func Find(name string) (*Policy, error) {
	if p := ByName(name); p != nil {
		return p, nil
	}
	near := suite.Nearest(name, Names(), 3)
	if len(near) == 0 {
		near = suite.Nearest("ELBSecurityPolicy-"+name, Names(), 3)
	}
	if len(near) > 0 {
		return nil, fmt.Errorf("unknown policy %q: did you mean %s?", name, strings.Join(near, ", "))
	}
	return nil, fmt.Errorf("unknown policy %q: see parley policy list", name)
}
