package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-tls/parley/aws/account"
	"github.com/parley-tls/parley/aws/change"
	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/aws/find"
	"github.com/parley-tls/parley/impact"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/render"
)

// setPolicyFlags are those of parley aws set-policy.
type setPolicyFlags struct {
	carryFlags
	plan, custom string
	certs        []string
	logs         evidenceFlags
}

func newAWSSetPolicyCmd() *cobra.Command {
	var f setPolicyFlags
	cmd := &cobra.Command{
		Use:   "set-policy LISTENER POLICY [EVIDENCE...]",
		Short: "Change a listener's security policy safely: plan, ask, apply, prove, with a way back",
		Long: `Change the security policy of a listener: say what changes and whom it breaks, ask, make the change, and prove at the endpoint
that it took effect. Each step is in a journal before it is made, so that "parley aws undo" takes it back even where the run
was cut off.

LISTENER is the ARN of a listener, or a load balancer's name, DNS name or ARN with :PORT. POLICY is a predefined policy, or one that a Classic
Load Balancer has; with --custom FILE it is left out. EVIDENCE of the clients is what "parley impact" takes; without any
the known clients that would be lost are named.

On a Classic Load Balancer a policy is made from POLICY unless there is one, and set with all other policies of the listener; the
one that it had stays for undo. docs/aws-change.md tells how.

Exit codes: 0 changed and proven, or had it already, or dry run; 1 not changed, or the endpoint does not follow; 2 wrong usage; 3 could
not be found out.`,
		Example: `  parley aws set-policy shop-alb:443 TLS13-1-2-Res-PQ-2025-09 --dry-run
  parley aws set-policy shop-alb:443 TLS13-1-2-Res-PQ-2025-09 clients.jsonl --plan change.json
  parley aws set-policy legacy-clb:443 TLS-1-2-2017-01 --yes`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, evidence := "", args[1:]
			switch {
			case f.custom == "" && len(evidence) == 0:
				return errors.New("name the policy to set, or --custom FILE for a Classic Load Balancer")
			case f.custom == "":
				name, evidence = evidence[0], evidence[1:]
			}
			if f.plan != "" && f.dryRun {
				return errors.New("--plan writes the plan and changes nothing: leave --dry-run out")
			}
			ctx, stop := interruptible(cmd)
			defer stop()
			return f.run(ctx, cmd, args[0], name, evidence)
		},
		ValidArgsFunction: completePolicies,
	}
	fl := cmd.Flags()
	fl.StringVar(&f.plan, "plan", "", "write the plan to this file for parley aws apply, and change nothing")
	fl.StringVar(&f.custom, "custom", "", "make a Classic policy of the attributes in this file instead of a predefined one")
	fl.StringArrayVar(&f.certs, "cert", nil, "a certificate of the listener: rsa:2048, ecdsa:256 …; may be repeated (default: what ACM and IAM tell)")
	f.carryFlags.add(fl)
	f.logs.add(fl)
	return cmd
}

func (f *setPolicyFlags) run(ctx context.Context, cmd *cobra.Command, listener, name string, evidence []string) error {
	n, err := elb.ParseName(listener)
	if err != nil {
		return err
	}
	id, err := parseIdentity(f.certs)
	if err != nil {
		return err
	}
	journal, err := change.OpenJournal(f.journal)
	if err != nil {
		return err
	}
	l, session, err := f.aws.listener(ctx, n)
	if err != nil {
		return err
	}
	certified := id
	if id == nil {
		if certified = l.Certified(); certified != nil {
			id = l.Identity(l.ServerName())
		}
	}
	c := &carrier{carryFlags: &f.carryFlags, cmd: cmd, session: session, journal: journal}
	if err := f.makePlan(ctx, c, l, name, certified); err != nil {
		return outcome(err)
	}
	if err := f.consequences(ctx, c, evidence, id); err != nil {
		return err
	}
	if f.plan != "" {
		return f.writePlan(c)
	}
	return c.run(ctx)
}

// listener finds the one that a name means, and the session that it is seen in.
func (f *awsFlags) listener(ctx context.Context, n elb.Name) (*elb.Listener, *account.Session, error) {
	if n.Region != "" && len(f.Regions) == 0 && !f.AllRegions {
		f.Regions = []string{n.Region}
	}
	sessions, err := f.open(ctx)
	if err != nil {
		return nil, nil, err
	}
	l, err := find.Resolve(ctx, sessions, n)
	switch {
	case err != nil && !find.AboutName(err):
		return nil, nil, undecided(err)
	case err != nil:
		return nil, nil, err
	}
	return l, find.SessionOf(sessions, l), nil
}

// makePlan plans the change, with what both policies accept.
func (f *setPolicyFlags) makePlan(ctx context.Context, c *carrier, l *elb.Listener, name string, id *policy.Identity) error {
	target := change.TargetOf(l)
	now, err := change.NewAPI(c.session, target).Read(ctx)
	if err != nil {
		return err
	}
	var w change.Wish
	var warning *change.Warning
	switch {
	case f.custom != "" && l.Kind != elb.Classic:
		return fmt.Errorf("--custom: an %s has predefined policies only", l.Kind.Title())
	case f.custom != "":
		data, err := os.ReadFile(f.custom)
		if err != nil {
			return fmt.Errorf("--custom: %w", err)
		}
		if w, c.to, err = change.Custom(data); err != nil {
			return fmt.Errorf("--custom %s: %w", f.custom, err)
		}
	default:
		if w, c.to, err = change.ParseWish(l.Kind, name, now); err != nil {
			return err
		}
		if l.Kind != elb.Classic {
			if c.to, warning, err = change.Describe(ctx, c.session, l.Kind, w.Policy, c.to); err != nil {
				return err
			}
		}
	}
	p := change.NewPlan(target, now, w, time.Now())
	c.from, _ = p.Contents()
	if l.Accepts != nil && l.Policy == now.Policy { // it may be what the API told
		c.from = l.Accepts
	}
	if warning != nil {
		p.Add(*warning)
	}
	if !p.Nothing() {
		p.Warn(now, c.from, c.to, id)
	}
	c.plan = &render.AWSPlan{Plan: p}
	return nil
}

// consequences say what the change adds and drops, and what it does to the clients of the evidence, or to those that are known.
func (f *setPolicyFlags) consequences(ctx context.Context, c *carrier, args []string, id *policy.Identity) error {
	c.compare(id, len(args) == 0)
	if len(args) == 0 {
		return nil
	}
	if c.to == nil {
		return undecided(fmt.Errorf("what %s accepts is not known, so that nothing follows from the evidence", c.plan.Set.Policy))
	}
	e := &seen{id: id}
	if err := e.evidence(ctx, c.cmd.InOrStdin(), args, &f.logs); err != nil {
		return err
	}
	if e.id == nil {
		e.id = chosenBy(e.clients)
		e.inferred = e.id != nil
	}
	m := render.NewImpact(impact.Assess(e.clients, c.from, c.to, e.id), keyTypes(e.id))
	m.Inferred, m.Warnings = e.inferred, append(e.warnings, m.Warnings...)
	c.plan.Impact = m
	return nil
}

// compare fills in what the policy to be set changes, where both are known, and which of the known clients it gains and loses.
func (c *carrier) compare(id *policy.Identity, clients bool) {
	switch {
	case c.from == nil || c.to == nil:
	case clients:
		c.plan.Change = comparePolicies(c.from, c.to, id)
	default:
		c.plan.Change = render.NewPolicyChange(c.from, c.to)
		c.plan.Change.Schema = "parley/policy-compare/1"
		c.plan.Change.Clients.Gains, c.plan.Change.Clients.Loses = []render.ClientGain{}, []render.ClientLoss{}
	}
}

// writePlan writes the plan for review, and says what to do with it.
func (f *setPolicyFlags) writePlan(c *carrier) error {
	if c.plan.Nothing() {
		return &exitError{exitBad, fmt.Errorf("%s has %s already: there is nothing to plan", &c.plan.Listener, c.plan.Set.Policy)}
	}
	file, err := os.Create(f.plan)
	if err != nil {
		return fmt.Errorf("--plan: %w", err)
	}
	err = render.JSON(file, c.plan)
	if cerr := file.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("--plan: %w", err)
	}
	if err := output(c.cmd, f.json, c.plan); err != nil || f.json {
		return err
	}
	_, err = fmt.Fprintf(c.cmd.OutOrStdout(), "\nnothing was changed; to make the change: parley aws apply %s\n", shellWord(f.plan))
	return err
}
