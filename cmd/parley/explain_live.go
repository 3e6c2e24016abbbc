package main

import (
	"fmt"
	"os"
	"os/signal"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/symptom"
	"github.com/spf13/cobra"
)

// plainClient is whose hello probes the endpoint where the client is not named: any current one does.
const plainClient = "openssl-3.0"

// settle probes the endpoint and puts its diagnosis in the place of the text's ranking, where it decides.
func settle(cmd *cobra.Command, e *symptom.Explanation, f *explainFlags) error {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt)
	defer stop()
	why := whyFlags{serverName: f.serverName, caFile: f.caFile, timeout: f.timeout}
	opt, err := why.options()
	if err != nil {
		return err
	}
	name := f.client
	if name == "" {
		name = plainClient
	}
	c, err := clientSide(cmd.InOrStdin(), name, f.openssl)
	var none *client.NoCiphersError
	if asNoCiphers(err, &none) {
		return settled(e, f, diagnose.NothingToOffer(name, f.target, err))
	}
	if err != nil {
		return err
	}
	at, err := resolve(ctx, cmd, f.target, f.serverName)
	if err != nil {
		return err
	}
	if f.startTLS != "" {
		if at.StartTLS, err = probe.ParseStartTLS(f.startTLS); err != nil {
			return err
		}
	}
	return settled(e, f, diagnose.Live(ctx, c, at, opt))
}

// minSettled is how sure a diagnosis must be to replace the ranking of the text.
const minSettled = 0.5

// settled takes over what the diagnosis says.
func settled(e *symptom.Explanation, f *explainFlags, d *diagnose.Diagnosis) error {
	s := symptom.Settled{Target: f.target, Client: f.client, Outcome: d.Outcome}
	if s.Client == "" {
		s.Client = plainClient
	}
	var found []symptom.Ranked
	for _, c := range d.Causes {
		found = append(found, symptom.Ranked{ID: c.ID, Confidence: c.Confidence, Stage: c.Stage, Summary: c.Summary, Shows: c.Decide})
	}
	switch {
	case len(found) > 0 && found[0].Confidence >= minSettled && found[0].ID != cause.Unknown && d.Outcome != diagnose.Negotiated:
		s.Decided = true
		s.Words = fmt.Sprintf("The endpoint was probed with the hello of %s: the diagnosis takes the place of what the text says.", s.Client)
	case d.Outcome == diagnose.Negotiated && f.client == "":
		s.Words = fmt.Sprintf("%s gets in, so the endpoint speaks TLS and answers; whether the client that failed gets in tells --client NAME.", s.Client)
	case d.Outcome == diagnose.Negotiated:
		s.Words = fmt.Sprintf("%s gets in now: the text is of another client, another time or address, or of what came after the handshake.", s.Client)
	default:
		s.Words = "The endpoint was probed, and that did not decide either; the ranking is the text's."
	}
	e.Settle(s, found, "parley why "+f.target+" --client "+s.Client)
	return nil
}
