package main

import (
	"github.com/spf13/cobra"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/render"
	"github.com/parley-tls/parley/scan"
	"github.com/parley-tls/parley/suite"
)

func newPolicyMatchCmd() *cobra.Command {
	var asJSON bool
	var certs, families []string
	cmd := &cobra.Command{
		Use:   "match FILE|NAME",
		Short: "Name the predefined policy that a policy in a file is, or is nearest to",
		Long: `Name every predefined policy that cannot be told from the given one from outside, and what would tell them
apart; where there is none, the nearest ones with their differences.

With --cert the answer is what an endpoint with these certificates would show: an ECDSA certificate alone
hides all suites that RSA authenticates.

The exit code is 0 for an exact match and 1 where there is only a nearest one.`,
		Example: `  parley policy match my-policy.txt
  parley policy match TLS13-1-2-2021-06 --cert ecdsa:256`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := findPolicy(args[0])
			if err != nil {
				return err
			}
			id, err := parseIdentity(certs)
			if err != nil {
				return err
			}
			among, err := policiesOf(families)
			if err != nil {
				return err
			}
			view := policy.View{Keys: keyTypes(id), Order: true, Family: p.Family}
			if len(p.Groups) > 0 { // then what it does not list it does not accept
				for _, g := range suite.AllGroups() {
					view.Groups = append(view.Groups, g.Code)
				}
			}
			m := matchPolicy(args[0], policy.Visible(p, view), view, among)
			if err := output(cmd, asJSON, m); err != nil || m.Exact {
				return err
			}
			return answeredBad()
		},
		ValidArgsFunction: completePolicies,
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	cmd.Flags().StringArrayVar(&certs, "cert", nil, "a certificate of the endpoint: rsa:2048, ecdsa:256 …; may be repeated (default: nothing is hidden)")
	cmd.Flags().StringSliceVar(&families, "family", nil, "compare only with this family")
	return cmd
}

// nearestPolicies is how many policies to name where none matches.
const nearestPolicies = 3

// matchPolicy names the predefined policies that an observed one matches. The view says what was asked and
// which certificates were seen; among is what to compare with, nil for everything that is known.
func matchPolicy(target string, observed *policy.Policy, view policy.View, among []*policy.Policy) *render.PolicyMatches {
	if among == nil {
		among = policy.All()
	}
	m := render.NewPolicyMatches(target, observed, view, policy.MatchPolicies(observed, view, among, nearestPolicies))
	m.Schema = "parley/policy-match/1"
	return m
}

// viewOf says what a scan asked and which certificates it saw, for matchPolicy.
func viewOf(e *scan.Endpoint) policy.View {
	v := policy.View{Keys: e.KeyTypes(), Groups: e.GroupsAsked}
	if e.Policy.Order == policy.ServerOrder {
		// Of the order a scan knows only what the server prefers to all else.
		for _, c := range e.Policy.Suites {
			if suite.ByCode(c).MaxVersion < suite.TLS13 {
				v.FirstChoice = c
				break
			}
		}
	}
	return v
}

// policiesOf returns the policies of the named families; nil for no name.
func policiesOf(families []string) ([]*policy.Policy, error) {
	var l []*policy.Policy
	for _, name := range families {
		f, err := policy.ParseFamily(name)
		if err != nil {
			return nil, err
		}
		l = append(l, policy.InFamily(f)...)
	}
	return l, nil
}
