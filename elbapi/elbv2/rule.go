package elbv2

import (
	"strings"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/query"
	"github.com/parley-tls/parley/elbapi/store"
)

// Rule is a rule as the API shows it. Listeners have their default rule only.
type Rule struct {
	RuleArn    string
	Priority   string
	Conditions []Condition
	Actions    []store.Action
	IsDefault  *bool
}

// Condition is what a rule asks for; the default rule asks for nothing.
type Condition struct{}

// findRule returns the listener that has a rule.
func findRule(r *store.Region, arn string) (*store.LoadBalancer, *store.Listener) {
	i := strings.LastIndexByte(arn, '/')
	if i < 0 || !strings.Contains(arn, ":listener-rule/") {
		return nil, nil
	}
	l, x := r.Listener(strings.Replace(arn[:i], ":listener-rule/", ":listener/", 1))
	if x == nil || store.RuleARN(x) != arn {
		return nil, nil
	}
	return l, x
}

type describeRulesInput struct {
	ListenerArn string
	RuleArns    []string
	Marker      string
	PageSize    *int `query:"min=1,max=400"`
}

type describeRulesOutput struct {
	Rules      []Rule
	NextMarker string
}

func describeRules(c *elbapi.Call, in *describeRulesInput) (*describeRulesOutput, error) {
	return elbapi.View(c, func(r *store.Region) (*describeRulesOutput, error) {
		rules := []Rule{}
		add := func(x *store.Listener) {
			yes := true
			rules = append(rules, Rule{RuleArn: store.RuleARN(x), Priority: "default", Conditions: []Condition{}, Actions: spreadAll(x.Actions), IsDefault: &yes})
		}
		switch {
		case in.ListenerArn != "" && len(in.RuleArns) > 0:
			return nil, query.Invalid("Rule ARNs and listener ARN cannot be specified at the same time")
		case in.ListenerArn != "":
			_, x, err := findListener(r, in.ListenerArn)
			if err != nil {
				return nil, err
			}
			add(x)
		case len(in.RuleArns) > 0:
			for _, arn := range in.RuleArns {
				_, x := findRule(r, arn)
				if x == nil {
					return nil, query.Fail("RuleNotFound", "One or more rules not found")
				}
				add(x)
			}
		default:
			return nil, query.Invalid("You must specify either listener rule ARNs or a listener ARN")
		}
		all, next, err := query.Page(rules, func(x Rule) string { return x.RuleArn }, in.Marker, in.PageSize, 400)
		return &describeRulesOutput{all, next}, err
	})
}
