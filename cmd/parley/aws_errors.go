package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-tls/parley/aws/account"
	"github.com/parley-tls/parley/aws/change"
	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/aws/find"
	"github.com/parley-tls/parley/aws/metric"
	"github.com/parley-tls/parley/render"
)

// awsErrorsFlags are the options of `parley aws errors`.
type awsErrorsFlags struct {
	awsFlags
	since, journal string
	noTrail        bool
	asJSON         bool
}

func newAWSErrorsCmd() *cobra.Command {
	var f awsErrorsFlags
	cmd := &cobra.Command{
		Use:   "errors [LISTENER...]",
		Short: "Say how many TLS handshakes fail, since when more than before, and which change stands at the beginning",
		Long: `Read from CloudWatch how many TLS handshakes of clients with Application and Network Load Balancers failed, find out whether and when that
began to rise, and set beside it who changed the listeners in that time, by CloudTrail and by the journal of parley's own changes.

The metric counts failures of a whole load balancer, without cause or client: parley logs and parley why find those. Classic Load Balancers
have no such metric. docs/aws-errors.md describes the test.

Exit codes: 0 no rise, 1 a rise, 2 wrong usage, 3 nothing is known to rise, but not all could be found out.`,
		Example: `  parley aws errors
  parley aws errors shop-alb --since 7d
  parley aws errors --all-regions --json`,
		RunE: func(cmd *cobra.Command, args []string) error { return awsErrors(cmd, &f, args) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.since, "since", "3d", "how far to look back, at most 14d: 90m, 12h, 3d")
	fl.BoolVar(&f.noTrail, "no-cloudtrail", false, "do not ask CloudTrail who changed listeners")
	fl.StringVar(&f.journal, "journal", "", "journal of parley's own changes (default: where parley aws keeps it)")
	fl.BoolVar(&f.asJSON, "json", false, "print one JSON document (docs/schema/aws-errors.schema.json)")
	f.add(fl)
	return cmd
}

func awsErrors(cmd *cobra.Command, f *awsErrorsFlags, args []string) error {
	since, err := parseSince(f.since)
	if err != nil {
		return err
	}
	var names []elb.Name
	for _, a := range args {
		n, err := elb.ParseName(a)
		if err != nil {
			return err
		}
		names = append(names, n)
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt)
	defer stop()
	sessions, err := f.open(ctx)
	if err != nil {
		return err
	}
	listeners, problems, err := listenersOf(ctx, sessions, names)
	if err != nil {
		return err
	}
	journal, err := journalChanges(cmd, f.journal)
	if err != nil {
		return err
	}
	now := time.Now()
	trail := metric.Always
	if f.noTrail {
		trail = metric.Never
	}
	all, missing := metric.Ask(ctx, sessions, listeners, metric.Options{Since: since, Now: now, Journal: journal, Trail: trail})
	if ctx.Err() != nil {
		return undecided(errors.New("interrupted"))
	}
	doc := &render.AWSErrors{Schema: "parley/aws-errors/1", From: now.Add(-since).UTC().Truncate(time.Second), Until: now.UTC().Truncate(time.Second),
		LoadBalancers: all, Problems: problems}
	for _, p := range missing {
		doc.Problems = append(doc.Problems, render.AWSProblem{Place: p.Place, Missing: p.Missing, Error: p.Err.Error()})
	}
	if doc.LoadBalancers == nil {
		doc.LoadBalancers = []metric.LoadBalancer{}
	}
	if err := output(cmd, f.asJSON, doc); err != nil {
		return err
	}
	for i := range all {
		if all[i].Rise.Outcome == metric.Risen {
			return answeredBad()
		}
	}
	if len(doc.Problems) > 0 {
		return &exitError{code: exitUndecided}
	}
	return nil
}

// listenersOf lists the listeners that names mean, or all where there are none.
func listenersOf(ctx context.Context, sessions []*account.Session, names []elb.Name) ([]elb.Listener, []render.AWSProblem, error) {
	problems := []render.AWSProblem{}
	if len(names) == 0 {
		inv, err := find.List(ctx, sessions, find.Options{NoCertificates: true, Kinds: []elb.Kind{elb.ALB, elb.NLB, elb.Classic}})
		if err != nil {
			return nil, nil, undecided(err)
		}
		for _, p := range inv.Problems {
			problems = append(problems, render.AWSProblem{Place: p.Place, Missing: p.Missing, Error: p.Err.Error()})
		}
		return inv.Listeners, problems, nil
	}
	var all []elb.Listener
	for _, n := range names {
		l, err := find.ResolveAll(ctx, sessions, n, find.Options{NoCertificates: true})
		switch {
		case err == nil:
		case find.AboutName(err):
			return nil, nil, err
		default:
			return nil, nil, undecided(err)
		}
		all = append(all, l...)
	}
	return all, problems, nil
}

// journalChanges reads the journal of parley's own changes; one that is not there has none.
func journalChanges(cmd *cobra.Command, path string) ([]metric.Change, error) {
	j, err := change.OpenJournal(path)
	if err != nil {
		return nil, nil // no home folder: no journal either
	}
	entries, warnings, err := j.Read()
	if err != nil {
		return nil, err
	}
	for _, w := range warnings {
		fmt.Fprintln(cmd.ErrOrStderr(), "parley:", w)
	}
	return metric.FromJournal(change.History(entries)), nil
}

// parseSince reads a span of time: as Go writes it, or in days.
func parseSince(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		var n float64
		n, err = strconv.ParseFloat(days, 64)
		d = time.Duration(n * 24 * float64(time.Hour))
	}
	switch {
	case err != nil:
		return 0, fmt.Errorf("--since %q is no span of time: write 90m, 12h or 3d", s)
	case d < time.Hour+10*time.Minute || d > metric.MaxSince:
		return 0, fmt.Errorf("--since %s: use 70m to %dd: less is too short to compare, and CloudWatch is asked for no more", s, metric.MaxSince/(24*time.Hour))
	}
	return d, nil
}
