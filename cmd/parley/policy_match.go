package main

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/render"
	"github.com/parley-tls/parley/suite"
)

// matchFlags are the options of `parley policy match`.
type matchFlags struct {
	certs, families      []string
	serverName, startTLS string
	timeout              time.Duration
	json                 bool
}

func newPolicyMatchCmd() *cobra.Command {
	var f matchFlags
	cmd := &cobra.Command{
		Use:   "match HOST[:PORT]|FILE|NAME",
		Short: "Name the predefined policy that an endpoint runs, or that a policy in a file is, or the nearest",
		Long: `Name every predefined policy that cannot be told from the given one from outside, and what would tell them
apart; where there is none, the nearest ones with their differences.

An endpoint is asked what it accepts, at every address of its name. What its certificates cannot serve stays
hidden: an ECDSA certificate alone hides all suites that RSA authenticates.

A file or a name is compared as it is, or with --cert as an endpoint with these certificates would show it.

Exit codes: 0 an exact match, 1 only a nearest one, or addresses that differ, 3 the endpoint could not be asked.`,
		Example: `  parley policy match lb.example.com
  parley policy match 127.0.0.1:8443 --servername lb.example.com --family alb
  parley policy match my-policy.txt
  parley policy match TLS13-1-2-2021-06 --cert ecdsa:256`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			among, err := policiesOf(f.families)
			if err != nil {
				return err
			}
			if isEndpoint(args[0]) {
				return matchLive(cmd, args[0], among, &f)
			}
			return matchFile(cmd, args[0], among, &f)
		},
		ValidArgsFunction: completePolicies,
	}
	fl := cmd.Flags()
	fl.BoolVar(&f.json, "json", false, "print one JSON document")
	fl.StringArrayVar(&f.certs, "cert", nil, "with FILE or NAME, a certificate of the endpoint: rsa:2048, ecdsa:256 …; may be repeated (default: nothing is hidden)")
	fl.StringSliceVar(&f.families, "family", nil, "compare only with this family")
	fl.StringVar(&f.serverName, "servername", "", "the name to ask for (SNI), if it is not the host's")
	fl.StringVar(&f.startTLS, "starttls", "", "speak this protocol's plaintext first: smtp, imap, pop3, ftp, ldap, postgres, mysql …")
	fl.DurationVar(&f.timeout, "timeout", probe.DefaultTimeout, "time for each connection, and for looking the name up")
	return cmd
}

// isEndpoint reports whether someone who typed target meant a host, and not the name of a policy or file.
func isEndpoint(target string) bool {
	if strings.Contains(target, "://") {
		return true
	}
	path, _, _ := strings.Cut(target, "#")
	if _, err := os.Stat(path); err == nil || target == "-" || policy.ByName(target) != nil || looksLikePath(path) || strings.HasPrefix(target, "policy:") {
		return false
	}
	if _, _, err := net.SplitHostPort(target); err == nil {
		return true
	}
	if _, err := netip.ParseAddr(strings.Trim(target, "[]")); err == nil {
		return true
	}
	return target == "localhost" || strings.Contains(target, ".") && !strings.Contains(target, "_") // as in TLSv1.2_2021
}

// matchFile compares the policy of that name or in that file.
func matchFile(cmd *cobra.Command, name string, among []*policy.Policy, f *matchFlags) error {
	if f.serverName != "" || f.startTLS != "" {
		return errors.New("--servername and --starttls go with an endpoint: " + name + " is none")
	}
	p, err := findPolicy(name)
	if err != nil {
		return err
	}
	id, err := parseIdentity(f.certs)
	if err != nil {
		return err
	}
	view := policy.View{Keys: keyTypes(id), Order: true, Family: p.Family}
	if len(p.Groups) > 0 { // then what it does not list it does not accept
		for _, g := range suite.AllGroups() {
			view.Groups = append(view.Groups, g.Code)
		}
	}
	m := matchPolicy(name, policy.Visible(p, view), view, among)
	if err := output(cmd, f.json, m); err != nil || m.Exact {
		return err
	}
	return answeredBad()
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
