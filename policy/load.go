package policy

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/parley-tls/parley/suite"
)

// The data files as strings: an embed.FS would copy them each time a process reads them.
var (
	//go:embed data/aws-elb.txt
	awsELBData string
	//go:embed data/aws-classic.txt
	awsClassicData string
	//go:embed data/others.txt
	othersData string
)

// registry is every predefined policy, in the order of the data files.
type registry struct {
	all     []*Policy
	byName  map[string]*Policy
	sources map[Family]map[string]string
}

var predefined = sync.OnceValue(func() *registry {
	r := &registry{byName: make(map[string]*Policy), sources: make(map[Family]map[string]string)}
	for _, data := range [...]struct{ name, text string }{{"aws-elb", awsELBData}, {"aws-classic", awsClassicData}, {"others", othersData}} {
		f, err := parse(data.text)
		if err != nil {
			panic("policy data: " + data.name + ": " + err.Error())
		}
		r.all = append(r.all, f.policies...)
		for _, p := range f.policies {
			r.sources[p.Family] = f.sources
		}
	}
	for _, p := range r.all {
		full := strings.ToLower(p.Name)
		for _, n := range []string{full, strings.TrimPrefix(full, awsPrefix)} {
			r.byName[string(p.Family)+"/"+n] = p
			if r.byName[n] == nil {
				r.byName[n] = p
			}
		}
		if p.Family == Mozilla { // without its version it means the last one, as later ones overwrite it here
			r.byName[full[:strings.LastIndex(full, "-")]] = p
		}
	}
	return r
})

// awsPrefix begins the names of all AWS policies, in lower case.
const awsPrefix = "elbsecuritypolicy-"

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
// "ELBSecurityPolicy-". A name that ALB/NLB and Classic share means ALB/NLB; "classic/NAME" means Classic, and
// any family that ParseFamily knows can stand before "/" or ":". It returns nil if there is none.
func ByName(name string) *Policy {
	family, name := splitFamily(name)
	if family != "" {
		name = string(family) + "/" + name
	}
	return predefined().byName[name]
}

// splitFamily cuts a family off the front of a name and puts the rest in lower case.
func splitFamily(name string) (Family, string) {
	name = strings.ToLower(strings.TrimSpace(name))
	if i := strings.IndexAny(name, "/:"); i > 0 {
		if f, err := ParseFamily(name[:i]); err == nil {
			return f, name[i+1:]
		}
	}
	return "", name
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
	family, rest := splitFamily(name)
	rest = strings.TrimPrefix(rest, awsPrefix)
	full := make(map[string]string) // short names to what to type
	var short []string
	for _, p := range All() {
		n := strings.TrimPrefix(strings.ToLower(p.Name), awsPrefix)
		if family != "" && p.Family != family || full[n] != "" {
			continue
		}
		full[n] = p.Name
		if ByName(p.Name) != p {
			full[n] = strings.TrimPrefix(string(p.Family), "aws-") + "/" + p.Name
		}
		short = append(short, n)
	}
	near := suite.Nearest(rest, short, 3)
	for i, n := range near {
		near[i] = full[n]
	}
	if len(near) > 0 {
		return nil, fmt.Errorf("unknown policy %q: did you mean %s?", name, strings.Join(near, ", "))
	}
	return nil, fmt.Errorf("unknown policy %q: see parley policy list", name)
}
