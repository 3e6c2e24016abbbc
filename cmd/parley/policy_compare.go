package main

import (
	"github.com/spf13/cobra"

	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/negotiate"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/render"
)

func newPolicyCompareCmd() *cobra.Command {
	var asJSON bool
	var certs []string
	cmd := &cobra.Command{
		Use:   "compare FROM TO",
		Short: "Say what a change of policy adds, drops and reorders, and which known clients it gains and loses",
		Long: `Say what a change from one policy to another adds, drops and reorders, and which of the clients that
"parley client list" knows could connect only before, or only after it.

The exit code is 0 where both accept the same, and 1 where they differ.`,
		Example: `  parley policy compare 2016-08 TLS13-1-2-Res-PQ-2025-09
  parley policy compare classic/2016-08 my-policy.txt --cert ecdsa:256 --json`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			from, err := findPolicy(args[0])
			if err != nil {
				return err
			}
			to, err := findPolicy(args[1])
			if err != nil {
				return err
			}
			id, err := parseIdentity(certs)
			if err != nil {
				return err
			}
			change := comparePolicies(from, to, id)
			if err := output(cmd, asJSON, change); err != nil || change.Same {
				return err
			}
			return answeredBad()
		},
		ValidArgsFunction: completePolicies,
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	cmd.Flags().StringArrayVar(&certs, "cert", nil, "a certificate of the load balancer: rsa:2048, ecdsa:256 …; may be repeated (default: one that fits each client)")
	return cmd
}

// comparePolicies says what a change of policy does, and to which of the known clients. id may be nil.
func comparePolicies(from, to *policy.Policy, id *policy.Identity) *render.PolicyChange {
	change := render.NewPolicyChange(from, to)
	change.Schema = "parley/policy-compare/1"
	c := &change.Clients
	c.Gains, c.Loses = []render.ClientGain{}, []render.ClientLoss{}
	for _, p := range client.All() {
		before, after := negotiate.Decide(p.Offer(), from, id), negotiate.Decide(p.Offer(), to, id)
		c.Known++
		if before.OK {
			c.Before++
		}
		if after.OK {
			c.After++
		}
		switch {
		case after.OK && !before.OK:
			c.Gains = append(c.Gains, render.ClientGain{Client: p.Name, Version: after.Version, Cipher: after.Suite})
		case before.OK && !after.OK:
			c.Loses = append(c.Loses, render.ClientLoss{Client: p.Name, Cause: after.Reason.Cause})
		}
	}
	return change
}
