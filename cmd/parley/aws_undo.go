package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-tls/parley/aws/change"
	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/render"
)

func newAWSUndoCmd() *cobra.Command {
	var f carryFlags
	var forget bool
	cmd := &cobra.Command{
		Use:   "undo [ID|LISTENER]",
		Short: "Take a change of a security policy back, also one that was cut off",
		Long: `Give a listener the policy back that it had before a change: the one with that ID, or the last of that listener, or the last of all. How far
the change came is found out from the journal and the API, so that a run that was cut off is taken back too: the policies that
it made on a Classic Load Balancer are deleted if nothing uses them.

It is refused where the listener changed since, with what changed; --force gives it its former policy nevertheless and leaves the
rest. --forget keeps the change for good instead, and deletes the policies that Parley made and that nothing needs any more.

Exit codes: 0 undone and proven, or dry run; 1 not undone, or the endpoint does not follow; 2 wrong usage; 3 could not be found out.`,
		Example: `  parley aws undo
  parley aws undo 3f9a2c01 --dry-run
  parley aws undo legacy-clb:443 --forget`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := interruptible(cmd)
			defer stop()
			journal, all, err := readJournal(cmd.ErrOrStderr(), f.journal)
			if err != nil {
				return err
			}
			which, err := meant(all, args)
			if err != nil {
				return outcome(err)
			}
			session, err := f.aws.session(ctx, &which.Plan.Listener, &which.By)
			if err != nil {
				return err
			}
			c := &carrier{carryFlags: &f, cmd: cmd, session: session, journal: journal}
			if forget {
				return c.forget(ctx, which)
			}
			now, err := change.NewAPI(session, which.Plan.Listener).Read(ctx)
			if err != nil {
				return outcome(err)
			}
			p, err := change.NewUndo(which, all, now, f.force, time.Now())
			if err != nil {
				return outcome(err)
			}
			c.plan = &render.AWSPlan{Plan: p}
			if err := c.contents(ctx); err != nil {
				return outcome(err)
			}
			c.compare(nil, true)
			return c.run(ctx)
		},
	}
	f.add(cmd.Flags())
	cmd.Flags().BoolVar(&forget, "forget", false, "keep the change for good, and delete the policies that were kept for taking it back")
	return cmd
}

// readJournal reads the journal, and prints its warnings.
func readJournal(w io.Writer, path string) (*change.Journal, []change.Change, error) {
	journal, err := change.OpenJournal(path)
	if err != nil {
		return nil, nil, err
	}
	entries, warnings, err := journal.Read()
	if err != nil {
		return nil, nil, err
	}
	for _, x := range warnings {
		fmt.Fprintln(w, "parley: warning:", x)
	}
	return journal, change.History(entries), nil
}

var changeID = regexp.MustCompile(`^[0-9a-f]{4,8}$`)

// meant finds the change that the user means.
func meant(all []change.Change, args []string) (*change.Change, error) {
	if len(args) == 0 {
		return change.Last(all, "", func(*change.Target) bool { return true })
	}
	if changeID.MatchString(args[0]) {
		c, err := change.Last(all, args[0], nil)
		if err == nil {
			return c, nil
		}
	}
	n, err := elb.ParseName(args[0])
	if err != nil {
		return nil, fmt.Errorf("%w; nor is it the ID of a change", err)
	}
	return change.Last(all, "", func(t *change.Target) bool { return t.Named(n) })
}

// forget keeps a change for good.
func (c *carrier) forget(ctx context.Context, which *change.Change) error {
	if c.dryRun {
		return errors.New("--forget has no dry run: parley aws journal shows the change")
	}
	r := &change.Runner{API: change.NewAPI(c.session, which.Plan.Listener), Journal: c.journal, By: c.session.Place, Tell: newSteps(c.cmd.ErrOrStderr())}
	done, err := r.Forget(ctx, which)
	if err != nil {
		return outcome(err)
	}
	return output(c.cmd, c.json, &render.AWSForgotten{Schema: "parley/aws-forgotten/1", Change: which.ID, Gone: done.Removed, Kept: done.Kept})
}
