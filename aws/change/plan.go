package change

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// PlanSchema names the form of plans.
const PlanSchema = "parley/aws-plan/1"

// Plan is a change of one listener: what it must have for the change to be made, and what is to be set.
type Plan struct {
	Schema   string    `json:"schema"`
	ID       string    `json:"id"` // of the content: a plan that was edited has another
	Made     time.Time `json:"made"`
	Listener Target    `json:"listener"`
	Had      State     `json:"had"` // the precondition
	Set      Setting   `json:"set"`
	Undoes   string    `json:"undoes,omitempty"` // the change that this one takes back
	Warnings []Warning `json:"warnings,omitempty"`
}

// Setting is what a change sets.
type Setting struct {
	Policy string `json:"policy"` // of a Classic Load Balancer one of its own
	// Reference and Attributes say what a Classic policy is made of: a predefined policy, or the attributes that are true.
	Reference  string   `json:"reference_policy,omitempty"`
	Attributes []string `json:"attributes,omitempty"`
	Create     bool     `json:"create,omitempty"` // the Classic policy has to be made first
	// Policies is the whole list that a Classic listener is given, since the API replaces all of it.
	Policies []string `json:"policies,omitempty"`
	// Remove are policies to delete behind it if nothing uses them: those that Parley made for the change that is taken back.
	Remove []string `json:"remove,omitempty"`
}

// Wish is the policy that a listener is to get.
type Wish struct {
	Policy     string   // a predefined one of ALB and NLB, or one that a Classic Load Balancer has
	Reference  string   // Classic: made from this predefined policy
	Attributes []string // Classic: made of these
}

// ParseWish reads the name of a policy for a listener, as parley policy show takes it, or of a policy that the Classic Load
// Balancer has. Content is what the tables have for it; nil where only the API can tell.
func ParseWish(kind elb.Kind, name string, now *Reading) (w Wish, content *policy.Policy, err error) {
	if kind == elb.Classic {
		return classicWish(name, now)
	}
	if p := ofFamily(policy.AWS, name); p != nil {
		if len(p.LoadBalancers) > 0 && !slices.Contains(p.LoadBalancers, string(kind)) {
			return w, nil, unfit("%s is not for an %s: %s have it", p.Name, kind.Title(), strings.Join(p.LoadBalancers, ", "))
		}
		return Wish{Policy: p.Name}, p, nil
	}
	if p := ofFamily(policy.Classic, name); p != nil {
		return w, nil, unfit("%s is a policy of Classic Load Balancers: an %s does not have it; parley policy list --family alb shows those that it has", p.Name, kind.Title())
	}
	if !isPolicyName(name) {
		return w, nil, unfit("%q is no name of a security policy: see parley policy list --family alb", name)
	}
	return Wish{Policy: name}, nil, nil
}

// ofFamily is ByName within one family, unless name itself says another.
func ofFamily(f policy.Family, name string) *policy.Policy {
	p := policy.ByName(name)
	if q := policy.ByName(string(f) + "/" + name); q != nil {
		p = q
	}
	if p == nil || p.Family != f {
		return nil
	}
	return p
}

func classicWish(name string, now *Reading) (w Wish, content *policy.Policy, err error) {
	if own := now.own(name); own != nil {
		if own.Type != negotiation {
			return w, nil, unfit("%s is a policy of the type %s: one of the type %s says how TLS is negotiated", name, own.Type, negotiation)
		}
		return Wish{Policy: name}, own.Accepts(), nil
	}
	if p := ofFamily(policy.Classic, name); p != nil {
		return Wish{Reference: p.Name}, p, nil
	}
	if p := ofFamily(policy.AWS, name); p != nil {
		text := "has it not"
		if p.Accepts(suite.TLS13) {
			text = "has neither it nor any TLS 1.3, for which there are ALB and NLB"
		}
		return w, nil, unfit("%s is a policy of ALB and NLB: a Classic Load Balancer %s; the strictest here is %s", p.Name, text, policy.Alternatives(policy.Classic, policy.General)[0].Name)
	}
	_, err = policy.Find(string(policy.Classic) + "/" + name)
	return w, nil, unfit("the load balancer has no policy %s of its own, and %s", name, err)
}

// Custom is the wish for a Classic policy with the attributes in a file, which policy.ParseClassicCustom reads. It must hold one.
func Custom(data []byte) (w Wish, content *policy.Policy, err error) {
	l, err := policy.ParseClassicCustom(data)
	if err != nil {
		return w, nil, unfit("%v", err)
	}
	if len(l) != 1 {
		return w, nil, unfit("%d policies in it, where one is wanted", len(l))
	}
	p := l[0]
	for _, a := range policy.Attributes() {
		switch {
		case a.Kind == "protocol" && slices.Contains(p.Versions, a.Version), a.Kind == "cipher" && slices.Contains(p.Suites, a.Code),
			a.Kind == "option" && p.Order == policy.ServerOrder:
			w.Attributes = append(w.Attributes, a.Name)
		}
	}
	slices.Sort(w.Attributes)
	return w, p, nil
}

// NewPlan plans to give the target, as it is now, what is wished for. It does no I/O.
func NewPlan(t Target, now *Reading, w Wish, made time.Time) *Plan {
	p := &Plan{Schema: PlanSchema, Made: made.UTC().Truncate(time.Millisecond), Listener: t, Had: now.State}
	if t.Kind == elb.Classic {
		p.Set = classicSetting(now, w)
	} else {
		p.Set = Setting{Policy: w.Policy}
	}
	p.seal()
	return p
}

// Nothing reports whether the listener has already what the plan sets.
func (p *Plan) Nothing() bool { return p.Done(&p.Had) && len(p.Set.Remove) == 0 }

// Done reports whether a listener has what the plan sets.
func (p *Plan) Done(now *State) bool {
	return now.Policy == p.Set.Policy && sameNames(now.Policies, p.Set.Policies)
}

// classicSetting finds the policy to set among those that the load balancer has, or a name for a new one.
func classicSetting(now *Reading, w Wish) Setting {
	s := Setting{Policy: w.Policy, Reference: w.Reference, Attributes: w.Attributes}
	if own := now.own(w.Policy); own != nil {
		s.Reference, s.Attributes = own.Reference, own.Attributes
	} else {
		s.Policy, s.Create = classicName(now, w)
	}
	if s.Reference != "" {
		s.Attributes = nil // the reference stands for them
	}
	s.Policies = replaced(now.Policies, now.Policy, s.Policy)
	return s
}

// classicName finds a policy that is what is wished for, or else a name that no policy has. The listener's own comes first, then
// one that AWS put there, then Parley's.
func classicName(now *Reading, w Wish) (name string, create bool) {
	derived := deriveName(w)
	if p := now.own(now.Policy); p != nil && p.made(w.Reference, w.Attributes) {
		return p.Name, false
	}
	for _, n := range []string{w.Reference, derived} {
		if p := now.own(n); p != nil && (p.made(w.Reference, w.Attributes) || n == w.Reference && n != "") {
			return n, false
		}
	}
	for _, p := range now.Own {
		if p.made(w.Reference, w.Attributes) {
			return p.Name, false
		}
	}
	name = derived
	for i := 2; now.own(name) != nil; i++ { // another policy has taken it
		name = fmt.Sprintf("%s-%d", derived, i)
	}
	return name, true
}

// NamePrefix begins the names of the policies that Parley makes.
const NamePrefix = "parley-"

// deriveName names a policy by what it is made of, so that the same is made once.
func deriveName(w Wish) string {
	short := strings.TrimPrefix(w.Reference, predefinedPrefix)
	if w.Reference == "" {
		short = "custom"
	}
	sum := sha256.Sum256([]byte(w.Reference + "\n" + strings.Join(w.Attributes, "\n")))
	return NamePrefix + short + "-" + hex.EncodeToString(sum[:3])
}

// predefinedPrefix begins the names of predefined policies; it is reserved for them.
const predefinedPrefix = "ELBSecurityPolicy-"

// replaced is a list with one name instead of another, or behind the others where that is not in it.
func replaced(l []string, old, name string) []string {
	l = slices.DeleteFunc(slices.Clone(l), func(n string) bool { return n == name && n != old })
	if i := slices.Index(l, old); i >= 0 && old != "" {
		l[i] = name
		return l
	}
	return append(l, name)
}

// seal gives the plan the ID of its content.
func (p *Plan) seal() { p.ID = p.digest() }

func (p *Plan) digest() string {
	q := *p
	q.ID = ""
	b, err := json.Marshal(&q)
	if err != nil {
		panic(err) // strings, numbers and a time of this century
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:6])
}

// maxPlan bounds the file of a plan: one with the clients of a large fleet has less.
const maxPlan = 64 << 20

// policyName is what names of policies are made of, in both APIs. A bound in it would cost every start of the program milliseconds.
var policyName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)

const maxPolicyName = 255 // bytes

// isPolicyName reports whether name can be that of a policy.
func isPolicyName(name string) bool {
	return len(name) <= maxPolicyName && policyName.MatchString(name)
}

// ReadPlan reads a plan out of its file, and whether it is one that can be carried out and was not edited.
func ReadPlan(data []byte) (*Plan, error) {
	if len(data) > maxPlan {
		return nil, unfit("larger than %d MB: that is no plan", maxPlan>>20)
	}
	var p Plan
	if err := json.Unmarshal(data, &p); err != nil {
		return nil, unfit("not the JSON of a plan: %v; parley aws set-policy --plan FILE writes one", err)
	}
	t := &p.Listener
	classic := t.Kind == elb.Classic
	switch {
	case p.Schema != PlanSchema:
		return nil, unfit("the schema is %q: a plan has %s; parley aws set-policy --plan FILE writes one", p.Schema, PlanSchema)
	case p.ID != p.digest():
		return nil, unfit("it was edited after it was made: what it would do is not what its review saw; make a new one")
	case t.Kind != elb.ALB && t.Kind != elb.NLB && !classic:
		return nil, unfit("a load balancer of the type %q has no security policy", t.Kind)
	case t.Region == "" || t.LoadBalancer == "" || t.Port < 1 || t.Port > 65535 || classic != (t.ARN == ""):
		return nil, unfit("it names no listener")
	case !isPolicyName(p.Set.Policy):
		return nil, unfit("%q is no name of a policy", p.Set.Policy)
	case classic && !slices.Contains(p.Set.Policies, p.Set.Policy):
		return nil, unfit("the list of policies to set lacks %s", p.Set.Policy)
	case p.Undoes != "" || p.Set.Remove != nil:
		return nil, unfit("it takes another change back: that is for parley aws undo")
	case !classic && (p.Set.Create || p.Set.Policies != nil), p.Set.Create && p.Set.Reference == "" && p.Set.Attributes == nil:
		return nil, unfit("what is to be set contradicts itself")
	}
	return &p, nil
}

// Contents are what the policy of today and the one to be set accept, by Parley's tables and what the plan says of Classic
// policies; nil where that does not tell.
func (p *Plan) Contents() (from, to *policy.Policy) {
	if p.Listener.Kind == elb.Classic {
		return classicContent(p.Had.Policy, p.Had.Reference, p.Had.Attributes), classicContent(p.Set.Policy, p.Set.Reference, p.Set.Attributes)
	}
	return policy.ByName(string(policy.AWS) + "/" + p.Had.Policy), policy.ByName(string(policy.AWS) + "/" + p.Set.Policy)
}
