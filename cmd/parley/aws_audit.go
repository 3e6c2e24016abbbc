package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-tls/parley/aws/audit"
	"github.com/parley-tls/parley/aws/declared"
	"github.com/parley-tls/parley/aws/find"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/render"
)

// awsAuditFlags are the options of `parley aws audit`.
type awsAuditFlags struct {
	awsFlags
	require                               []string
	terraform, cloudformation, kubernetes []string
	allow, sarif                          string
	plaintext, asJSON                     bool
}

func newAWSAuditCmd() *cobra.Command {
	var f awsAuditFlags
	var levels strings.Builder
	for _, l := range audit.Levels() {
		fmt.Fprintf(&levels, "  %-16s %s\n", l[0], l[1])
	}
	cmd := &cobra.Command{
		Use:   "audit --require LEVEL|POLICY",
		Short: "Say which listeners fall below a level or a policy, in an account or in Terraform, CloudFormation and Kubernetes files",
		Long: `Say which listeners fall below what is required: those of accounts, or with --terraform, --cloudformation or --kubernetes those
that files declare, before anything is deployed. Each of these takes files and folders, "-" for standard input, and may be repeated.

What is required is a policy, whose protocol versions and cipher suites a listener must not go beyond, or a level; of several, all:
` + levels.String() + `
A listener whose policy cannot be told is a finding of its own kind. docs/aws-audit.md says more, with examples for CI.

Exit codes: 0 all listeners meet it, 1 some fall below, 2 wrong usage or input, 3 no listener is known to fall below, but of some it could not
be found out.`,
		Example: `  parley aws audit --require tls1.2,forward-secrecy --all-regions
  parley aws audit --require TLS13-1-2-Res-2021-06 --terraform infra/ --sarif parley.sarif
  terraform show -json plan.out | parley aws audit --require intermediate --terraform -
  kubectl get ingress,ingressclass,ingressclassparams,service -A -o json | parley aws audit --require tls1.2 --kubernetes -`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return awsAudit(cmd, &f) },
	}
	fl := cmd.Flags()
	fl.StringSliceVar(&f.require, "require", nil, "level or policy that every listener has to meet; may be repeated")
	fl.StringArrayVar(&f.terraform, "terraform", nil, "plan (terraform show -json), .tf files or folders of them")
	fl.StringArrayVar(&f.cloudformation, "cloudformation", nil, "templates of CloudFormation or SAM, or folders of them")
	fl.StringArrayVar(&f.kubernetes, "kubernetes", nil, "manifests of Kubernetes, or folders of them")
	fl.BoolVar(&f.plaintext, "plaintext", false, "HTTP listeners are findings too, unless they send their clients to HTTPS")
	fl.StringVar(&f.allow, "allow", "", "file of waivers: a pattern for listeners, the last day and a reason on each line")
	fl.BoolVar(&f.asJSON, "json", false, "print one JSON document (docs/schema/aws-audit.schema.json)")
	fl.StringVar(&f.sarif, "sarif", "", "also write the findings to this file in SARIF 2.1.0; - prints nothing else")
	_ = cmd.MarkFlagRequired("require")
	_ = cmd.RegisterFlagCompletionFunc("require", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		l := policy.Names()
		for _, x := range audit.Levels() {
			l = append(l, x[0])
		}
		return l, cobra.ShellCompDirectiveNoFileComp
	})
	f.add(fl)
	return cmd
}

func awsAudit(cmd *cobra.Command, f *awsAuditFlags) error {
	if f.asJSON && f.sarif == "-" {
		return errors.New("--json and --sarif - both print to standard output: give --sarif a file")
	}
	r, err := audit.Parse(f.require, findPolicy)
	if err != nil {
		return err
	}
	o := audit.Options{Plaintext: f.plaintext, Now: time.Now()}
	if f.allow != "" {
		text, err := readFile(f.allow)
		if err != nil {
			return err
		}
		if o.Waivers, err = audit.ParseWaivers(string(text)); err != nil {
			return fmt.Errorf("%s: %w", f.allow, err)
		}
	}
	var subjects []audit.Subject
	var problems []render.AWSAuditProblem
	unseen := []declared.Unseen{}
	if len(f.terraform)+len(f.cloudformation)+len(f.kubernetes) > 0 {
		all, bad, err := readDeclared(f)
		if err != nil {
			return err
		}
		problems, unseen = bad, append(unseen, all.Unseen...)
		for i := range all.Listeners {
			subjects = append(subjects, audit.Declared(&all.Listeners[i]))
		}
	} else if subjects, problems, err = liveSubjects(cmd.Context(), &f.awsFlags, f.plaintext); err != nil {
		return err
	}
	report := audit.Judge(subjects, &r, o)
	doc := render.NewAWSAudit(&r, report)
	doc.Problems, doc.Unseen = append(doc.Problems, problems...), unseen
	if err := writeAudit(cmd, f, doc); err != nil {
		return err
	}
	if code := report.Exit(len(problems) > 0); code != exitGood {
		return &exitError{code: code}
	}
	return nil
}

// writeAudit prints the document, and writes the SARIF file.
func writeAudit(cmd *cobra.Command, f *awsAuditFlags, doc *render.AWSAudit) error {
	if f.sarif == "-" {
		return render.JSON(cmd.OutOrStdout(), doc.SARIF(ownVersion()))
	}
	if f.sarif != "" {
		file, err := os.Create(f.sarif)
		if err != nil {
			return err
		}
		if err := errors.Join(render.JSON(file, doc.SARIF(ownVersion())), file.Close()); err != nil {
			return fmt.Errorf("%s: %w", f.sarif, err)
		}
	}
	return output(cmd, f.asJSON, doc)
}

// liveSubjects lists the listeners of the accounts.
func liveSubjects(ctx context.Context, f *awsFlags, plaintext bool) ([]audit.Subject, []render.AWSAuditProblem, error) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	sessions, err := f.open(ctx)
	if err != nil {
		return nil, nil, err
	}
	inv, err := find.List(ctx, sessions, find.Options{All: plaintext, NoCertificates: true})
	if errors.Is(err, context.Canceled) {
		return nil, nil, undecided(errors.New("interrupted"))
	}
	if err != nil {
		return nil, nil, undecided(err)
	}
	var subjects []audit.Subject
	for i := range inv.Listeners {
		subjects = append(subjects, audit.Live(&inv.Listeners[i]))
	}
	var problems []render.AWSAuditProblem
	for _, p := range inv.Problems {
		problems = append(problems, render.AWSAuditProblem{Where: p.Region, Error: p.Missing + ": " + p.Err.Error()})
	}
	return subjects, problems, nil
}

// ownVersion is the version that the program was built as, "" where that was not told.
func ownVersion() string {
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "(devel)" {
		return b.Main.Version
	}
	return ""
}
