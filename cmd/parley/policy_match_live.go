package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/render"
	"github.com/parley-tls/parley/scan"
)

// maxMatched is how many addresses of a name are asked.
const maxMatched = 8

// matchBudget is how many connections an address is asked by: no diagnosis has to follow, so that more suites
// can be told apart than there.
const matchBudget = 60

// matchLive names the policy that an endpoint runs.
func matchLive(cmd *cobra.Command, target string, among []*policy.Policy, f *matchFlags) error {
	if len(f.certs) > 0 {
		return errors.New("--cert goes with FILE or NAME; a live endpoint shows its own certificates")
	}
	if f.timeout <= 0 {
		return fmt.Errorf("--timeout %s: use a positive duration such as 5s", f.timeout)
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt)
	defer stop()
	e, err := resolve(ctx, cmd, target, f.serverName)
	if err != nil {
		return err
	}
	if f.startTLS != "" {
		if e.StartTLS, err = probe.ParseStartTLS(f.startTLS); err != nil {
			return err
		}
	}
	if len(e.Addresses) == 0 {
		return undecided(fmt.Errorf("%s: the name does not resolve; parley why %s says more", target, target))
	}
	m, err := matchEndpoint(ctx, e, among, f)
	if err != nil {
		return undecided(err)
	}
	if err := output(cmd, f.json, m); err != nil || m.Exact && !m.AddressesDiffer() {
		return err
	}
	return answeredBad()
}

// matchEndpoint asks every address of e, side by side. The report is that of the first that speaks TLS; where there
// are several it names what each of them runs. It returns an error if none speaks TLS.
func matchEndpoint(ctx context.Context, e *diagnose.Endpoint, among []*policy.Policy, f *matchFlags) (*render.PolicyMatches, error) {
	addresses := e.Addresses[:min(len(e.Addresses), maxMatched)]
	seen := make([]*scan.Endpoint, len(addresses))
	probers := make([]probe.Prober, len(addresses))
	var wg sync.WaitGroup
	for i, a := range addresses {
		wg.Go(func() {
			probers[i].Timeout = f.timeout
			t := probe.Target{Address: net.JoinHostPort(a, e.Port), ServerName: e.Host, StartTLS: e.StartTLS}
			seen[i] = scan.Quick(ctx, &probers[i], t, scan.Options{ServerName: e.ServerName, Budget: matchBudget})
		})
	}
	wg.Wait()
	var lead *render.PolicyMatches
	var rows []render.AddressMatch
	var silent []string
	connections, roundTrips := 0, 0
	for i, s := range seen {
		connections, roundTrips = connections+probers[i].Connections(), max(roundTrips, probers[i].RoundTrips())
		row := render.AddressMatch{Address: s.Address, Policies: []string{}}
		if !s.Speaks() {
			row.Problem = fmt.Sprintf("takes no ClientHello (%s)", s.Replies[0].Answer)
			rows, silent = append(rows, row), append(silent, s.Address+" "+row.Problem)
			continue
		}
		m := matchPolicy(e.Name, s.Policy, s.View(), among)
		m.NotTested = s.NotTested
		if row.Exact = m.Exact; m.Exact {
			for _, x := range m.Matches {
				row.Policies = append(row.Policies, x.Name)
			}
		}
		if rows = append(rows, row); lead == nil {
			lead = m
		}
	}
	if lead == nil {
		return nil, fmt.Errorf("%s: %s; parley why %s says more", e.Name, strings.Join(silent, ", "), e.Name)
	}
	lead.Connections, lead.RoundTrips = connections, roundTrips
	if len(rows) > 1 {
		lead.Addresses = rows
	}
	return lead, nil
}
