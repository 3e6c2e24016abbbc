package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/aws/find"
	"github.com/parley-tls/parley/aws/metric"
	"github.com/parley-tls/parley/render"
)

// awsListFlags are the options of `parley aws list`.
type awsListFlags struct {
	awsFlags
	kinds             []string
	policy            string
	all, sni, noCerts bool
	asJSON, asCSV     bool
	errors            bool
}

func newAWSListCmd() *cobra.Command {
	var f awsListFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the TLS listeners of accounts and regions, with what their policies accept",
		Long: `List the TLS listeners of Application, Network and Classic Load Balancers: name, policy and whether it is what AWS gives unasked,
protocols, the weakest cipher suite, certificates with their keys and ends, mutual TLS and ALPN. Custom policies of Classic
Load Balancers are shown in full.

What AWS does not tell, as for want of a permission in one region, is named at the end; all else is listed.

Exit codes: 0 all was told, 2 wrong usage, 3 something could not be found out.`,
		Example: `  parley aws list
  parley aws list --profile prod --all-regions --csv > listeners.csv
  parley aws list --type nlb,classic --policy 2016-08`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return awsList(cmd, &f) },
	}
	fl := cmd.Flags()
	f.add(fl)
	fl.StringSliceVar(&f.kinds, "type", nil, "only these kinds: alb, nlb, classic")
	fl.StringVar(&f.policy, "policy", "", "only listeners with this in the name of their policy, or of the one that it refers to")
	fl.BoolVar(&f.all, "all", false, "listeners without TLS too")
	fl.BoolVar(&f.sni, "sni-certificates", false, "the certificates beside the default one too: one call more for each listener")
	fl.BoolVar(&f.noCerts, "no-certificates", false, "do not ask ACM and IAM about certificates")
	fl.BoolVar(&f.errors, "errors", false, "how many handshakes failed with each load balancer in 3 days, and since when more than before (parley aws errors says more)")
	fl.BoolVar(&f.asJSON, "json", false, "print one JSON document (docs/schema/aws-list.schema.json)")
	fl.BoolVar(&f.asCSV, "csv", false, "print a table for spreadsheets, one row a listener")
	cmd.MarkFlagsMutuallyExclusive("json", "csv")
	return cmd
}

// balancerKinds are the kinds as --type has them.
var balancerKinds = map[string]elb.Kind{"alb": elb.ALB, "application": elb.ALB, "nlb": elb.NLB, "network": elb.NLB, "classic": elb.Classic, "clb": elb.Classic}

func awsList(cmd *cobra.Command, f *awsListFlags) error {
	o := find.Options{All: f.all, SNICertificates: f.sni, NoCertificates: f.noCerts}
	for _, name := range f.kinds {
		k, ok := balancerKinds[strings.ToLower(name)]
		if !ok {
			return fmt.Errorf("--type %q: use alb, nlb or classic", name)
		}
		o.Kinds = append(o.Kinds, k)
	}
	var one sync.Mutex
	o.Slow = func(region string, n int, d time.Duration) {
		one.Lock()
		defer one.Unlock()
		fmt.Fprintf(cmd.ErrOrStderr(), "%s: the listeners of %d load balancers take %.0f s at the rate that AWS allows\n", region, n, d.Seconds())
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt)
	defer stop()
	sessions, err := f.open(ctx)
	if err != nil {
		return err
	}
	inv, err := find.List(ctx, sessions, o)
	interrupted := err
	doc := awsListOf(inv, f.policy)
	if f.errors && interrupted == nil {
		var missing []metric.Problem
		doc.Errors, missing = metric.Ask(ctx, sessions, listenersIn(doc), metric.Options{Since: listErrors, Now: time.Now()})
		for _, p := range missing {
			inv.Problems = append(inv.Problems, find.Problem{Place: p.Place, Missing: p.Missing, Err: p.Err})
			doc.Problems = append(doc.Problems, render.AWSProblem{Place: p.Place, Missing: p.Missing, Error: p.Err.Error()})
		}
	}
	w := cmd.OutOrStdout()
	switch {
	case f.asJSON:
		err = render.JSON(w, doc)
	case f.asCSV:
		err = doc.CSV(w)
		for _, p := range inv.Problems {
			fmt.Fprintln(cmd.ErrOrStderr(), "parley:", p)
		}
		fmt.Fprintln(cmd.ErrOrStderr(), doc.Summary())
	default:
		err = doc.Text(w, styleFor(w))
	}
	switch {
	case err != nil:
		return err
	case interrupted != nil:
		return undecided(errors.New("interrupted: this is what was found until then"))
	case len(inv.Problems) > 0:
		return &exitError{code: exitUndecided}
	}
	return nil
}

// listErrors is how far back --errors looks for failed handshakes.
const listErrors = 3 * 24 * time.Hour

// listenersIn are the listeners of a document.
func listenersIn(doc *render.AWSList) []elb.Listener {
	var l []elb.Listener
	for i := range doc.Listeners {
		l = append(l, doc.Listeners[i].Listener)
	}
	return l
}

// awsListOf makes the document of an inventory: all listeners, or those with a word in the name of their policy.
func awsListOf(inv *find.Inventory, word string) *render.AWSList {
	doc := &render.AWSList{Schema: "parley/aws-list/1", Listeners: []render.AWSListener{}, Problems: []render.AWSProblem{}, LoadBalancers: inv.LoadBalancers,
		Regions: inv.Regions, Requests: inv.Total(), Pages: inv.Pages, Calls: inv.Calls, Time: time.Now().UTC().Truncate(time.Second)}
	word = strings.ToLower(word)
	for _, l := range inv.Listeners {
		if word == "" || slices.ContainsFunc([]string{l.Policy, l.Reference}, func(p string) bool { return strings.Contains(strings.ToLower(p), word) }) {
			doc.Listeners = append(doc.Listeners, render.NewAWSListener(l))
		}
	}
	for _, p := range inv.Problems {
		doc.Problems = append(doc.Problems, render.AWSProblem{Place: p.Place, Missing: p.Missing, Error: p.Err.Error()})
	}
	return doc
}
