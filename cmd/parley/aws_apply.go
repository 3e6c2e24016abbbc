package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/parley-tls/parley/aws/account"
	"github.com/parley-tls/parley/aws/change"
	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/render"
)

func newAWSApplyCmd() *cobra.Command {
	var f carryFlags
	cmd := &cobra.Command{
		Use:   "apply PLAN",
		Short: `Carry out a plan that "parley aws set-policy --plan" wrote, unless the listener changed since`,
		Long: `Carry out a plan that "parley aws set-policy --plan FILE" wrote. It is refused where the listener is no more what it was when the plan was
made, with what changed, and where the file was edited. Credentials must be those of the plan's account; the region is the plan's.

Exit codes: 0 changed and proven, or had it already, or dry run; 1 not changed, or the endpoint does not follow; 2 wrong usage or no plan;
3 could not be found out.`,
		Example: `  parley aws apply change.json
  parley aws apply change.json --yes --role arn:aws:iam::111122223333:role/deploy --journal changes.jsonl`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := interruptible(cmd)
			defer stop()
			p, err := readPlan(args[0])
			if err != nil {
				return err
			}
			journal, err := change.OpenJournal(f.journal)
			if err != nil {
				return err
			}
			session, err := f.aws.session(ctx, &p.Listener, nil)
			if err != nil {
				return err
			}
			c := &carrier{carryFlags: &f, cmd: cmd, session: session, journal: journal, plan: &render.AWSPlan{Plan: p}}
			if err := c.contents(ctx); err != nil {
				return outcome(err)
			}
			c.compare(nil, true)
			return c.run(ctx)
		},
	}
	f.add(cmd.Flags())
	return cmd
}

// maxPlanFile is more than package change takes for a plan.
const maxPlanFile = 64<<20 + 1

func readPlan(path string) (*change.Plan, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxPlanFile))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	p, err := change.ReadPlan(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

// session opens the one account and region of a target, and sees to it that it is the target's. by is how a former run got
// there, which counts where no flag says otherwise.
func (f *awsFlags) session(ctx context.Context, t *change.Target, by *elb.Place) (*account.Session, error) {
	o := f.Options
	if o.AllRegions || len(o.Regions) > 0 && !slices.Equal(o.Regions, []string{t.Region}) {
		return nil, fmt.Errorf("%s is in %s: leave --region and --all-regions out", t, t.Region)
	}
	if by != nil && len(o.Profiles) == 0 && len(o.Roles) == 0 {
		if by.Profile != "" {
			o.Profiles = []string{by.Profile}
		}
		if by.Role != "" {
			o.Roles = []string{by.Role}
		}
	}
	o.Regions = []string{t.Region}
	s, err := account.Open(ctx, o)
	if err != nil {
		return nil, undecided(err)
	}
	if len(s) != 1 {
		return nil, errors.New("one account is wanted: name one --profile and one --role at most")
	}
	return s[0], outcome(change.CheckAccount(ctx, s[0], t))
}

// contents finds out what both policies of a plan accept, where the tables do not tell.
func (c *carrier) contents(ctx context.Context) error {
	p := c.plan.Plan
	c.from, c.to = p.Contents()
	if p.Listener.Kind == elb.Classic || c.to != nil {
		return nil
	}
	to, _, err := change.Describe(ctx, c.session, p.Listener.Kind, p.Set.Policy, nil)
	c.to = to
	return err
}
