package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/parley-tls/parley/impact"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/render"
)

// impactFlags are what `parley impact` and `parley policy recommend` have in common.
type impactFlags struct {
	from, html string
	certs      []string
	logs       evidenceFlags
	json       bool
}

func (f *impactFlags) add(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringVar(&f.from, "from", "", "the policy under which the clients were seen, or HOST:PORT of the load balancer, which is then asked")
	fl.StringArrayVar(&f.certs, "cert", nil, "a certificate of the load balancer: rsa:2048, ecdsa:256 …; may be repeated (default: those of the cipher suites that were chosen)")
	fl.StringVar(&f.html, "html", "", "write a page with a matrix of clients and policies to this file")
	fl.BoolVar(&f.json, "json", false, "print one JSON document")
	f.logs.add(fl)
	_ = cmd.RegisterFlagCompletionFunc("from", completePolicies)
}

func newImpactCmd() *cobra.Command {
	var f impactFlags
	var to string
	cmd := &cobra.Command{
		Use:   "impact --to POLICY EVIDENCE...",
		Short: "Say which of the clients really seen a change of security policy would break",
		Long: `Say of every client that was really seen what becomes of it under another security policy: whether it keeps working,
negotiates something else, or breaks, and why. What the evidence does not tell is unknown, and what would decide is said.

EVIDENCE is any of: packet captures (pcap, pcapng), logs of load balancers (as "parley logs" reads them, s3:// included), files
that --evidence of "parley watch", "parley tap" and "parley logs" writes, folders of all these, and - for standard input. A ClientHello tells all; a line of an access log
tells only what was chosen, and more if --from names the policy under which that was.

Exit codes: 0 no client breaks, 1 some client does, 2 wrong usage or input, 3 none is known to break, but of some it
is unknown; or the load balancer of --from, or S3, could not be asked.`,
		Example: `  parley impact --to TLS13-1-2-Res-PQ-2025-09 --from 2016-08 capture.pcap
  parley impact --to TLS13-1-2-2021-06 --from lb.example.com:443 s3://my-logs/AWSLogs/ --html impact.html`,
		Args: atLeastOne("name evidence: a packet capture, a log, a folder of them, s3://bucket/prefix, what --evidence writes, or - for standard input"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if to == "" {
				return errors.New("name the new policy with --to")
			}
			p, err := findPolicy(to)
			if err != nil {
				return fmt.Errorf("--to: %w", err)
			}
			e, err := f.read(cmd, args)
			if err != nil {
				return err
			}
			m := render.NewImpact(impact.Assess(e.clients, e.from, p, e.id), keyTypes(e.id))
			m.Inferred, m.Warnings = e.inferred, append(e.warnings, m.Warnings...)
			if err := f.write(cmd, m); err != nil {
				return err
			}
			switch {
			case m.Breaking():
				return answeredBad()
			case m.Open():
				return &exitError{code: exitUndecided}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "the new policy: a name, or a file as for parley policy compare")
	_ = cmd.RegisterFlagCompletionFunc("to", completePolicies)
	f.add(cmd)
	return cmd
}

func newPolicyRecommendCmd() *cobra.Command {
	var f impactFlags
	var family, loss string
	cmd := &cobra.Command{
		Use:   "recommend EVIDENCE...",
		Short: "Name the strictest predefined policy that keeps the clients really seen",
		Long: `Name the strictest predefined policy that keeps the clients that were really seen, the runner-up, and whom each stricter policy
would cost. A client that connects today and of which it is not known whether it will counts as lost. EVIDENCE is what "parley impact" takes.

Exit codes: 0 a policy keeps them, 1 none is known to, 2 wrong usage or input, 3 the load balancer of --from, or S3, could not be asked.`,
		Example: `  parley policy recommend capture.pcap --family alb
  parley policy recommend --from 2016-08 --allow-loss 0.1% access-logs/ --html policies.html`,
		Args: atLeastOne("name evidence: a packet capture, a log, a folder of them, s3://bucket/prefix, what --evidence writes, or - for standard input"),
		RunE: func(cmd *cobra.Command, args []string) error {
			allow, err := parseShare(loss)
			if err != nil {
				return fmt.Errorf("--allow-loss %q: %w", loss, err)
			}
			e, err := f.read(cmd, args)
			if err != nil {
				return err
			}
			of, kind := policy.AWS, policy.General
			if e.from != nil && e.from.Family != policy.Custom && e.from.Family != policy.Observed {
				of, kind = e.from.Family, e.from.Kind
			}
			if family != "" {
				if of, err = policy.ParseFamily(family); err != nil {
					return fmt.Errorf("--family: %w", err)
				}
			}
			r := impact.Recommend(e.clients, e.from, impact.Candidates(of, kind), e.id, allow)
			m := render.NewRecommendation(r, of, keyTypes(e.id))
			m.Inferred, m.Warnings = e.inferred, append(e.warnings, m.Warnings...)
			if err := f.write(cmd, m); err != nil {
				return err
			}
			if m.Best == "" {
				return answeredBad()
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&family, "family", "", "the policies to choose from: alb, nlb, classic, cloudfront, azure, gcp, mozilla (default: those of --from, else alb and nlb)")
	cmd.Flags().StringVar(&loss, "allow-loss", "0%", "share of the connections and requests seen that may be lost, such as 0.1%")
	f.add(cmd)
	return cmd
}

// write prints a report, and writes the page where one is asked for.
func (f *impactFlags) write(cmd *cobra.Command, m interface {
	Text(io.Writer, render.Style) error
	HTML(io.Writer) error
}) error {
	if f.html != "" {
		page, err := os.Create(f.html)
		if err != nil {
			return fmt.Errorf("--html: %w", err)
		}
		err = m.HTML(page)
		if cerr := page.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			return fmt.Errorf("--html: %w", err)
		}
	}
	return output(cmd, f.json, m)
}
