package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"

	"github.com/spf13/cobra"

	"github.com/parley-tls/parley/aws/upstream"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/render"
)

func newPolicyCheckUpstreamCmd() *cobra.Command {
	var f awsFlags
	var families []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check-upstream",
		Short: "Say where AWS's predefined policies differ from Parley's tables today",
		Long: `Ask AWS for its predefined policies, of ALB, NLB and Classic, and say what it has added, dropped and changed since Parley's
tables were made: policies, protocols, suites and their order, types of load balancers, and the attributes of Classic policies with their
defaults. Groups and signature schemes cannot be compared: AWS does not tell them.

Exit codes: 0 nothing differs, 1 something does, 2 wrong usage, 3 nothing is known to differ, but not all could be asked.`,
		Example: `  parley policy check-upstream --region eu-west-1
  parley policy check-upstream --family alb --profile prod --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			keep := []policy.Family{policy.AWS, policy.Classic}
			if len(families) > 0 {
				keep = nil
			}
			for _, name := range families {
				p, err := policy.ParseFamily(name)
				if err != nil {
					return err
				}
				if p != policy.AWS && p != policy.Classic {
					return fmt.Errorf("--family %s: only AWS's load balancers have policies that AWS tells of: use alb, nlb or classic", name)
				}
				keep = append(keep, p)
			}
			return checkUpstream(cmd, &f, keep, asJSON)
		},
	}
	fl := cmd.Flags()
	fl.StringSliceVar(&families, "family", nil, "only these: alb (with nlb), classic")
	fl.BoolVar(&asJSON, "json", false, "print one JSON document (docs/schema/policy-check-upstream.schema.json)")
	f.add(fl)
	return cmd
}

func checkUpstream(cmd *cobra.Command, f *awsFlags, families []policy.Family, asJSON bool) error {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt)
	defer stop()
	sessions, err := f.open(ctx)
	if err != nil {
		return err
	}
	checks := make([]*upstream.Check, len(sessions))
	var wg sync.WaitGroup
	for i, s := range sessions {
		wg.Go(func() { checks[i] = upstream.Ask(ctx, s, families) })
	}
	wg.Wait()
	if ctx.Err() != nil {
		return undecided(errors.New("interrupted"))
	}
	differ, open := false, false
	for _, c := range checks {
		differ, open = differ || len(c.Differences) > 0, open || len(c.Problems) > 0
	}
	if err := output(cmd, asJSON, render.NewUpstream(checks)); err != nil {
		return err
	}
	switch {
	case differ:
		return answeredBad()
	case open:
		return &exitError{code: exitUndecided}
	}
	return nil
}
