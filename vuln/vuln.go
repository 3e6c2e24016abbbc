// Package vuln tells which of the known weaknesses of TLS an endpoint has. What follows from what the endpoint accepts
// is read from the result of a scan; the rest is tested on the wire, each by a probe that proves the flaw or excludes
// it and harms nothing: no secret is read, and what a server gives away is counted and thrown away.
//
// docs/vulnerabilities.md says of each check what is sent and what proves it.
package vuln

import (
	"context"
	"crypto/tls"
	"slices"
	"sync"

	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/scan"
)

// Verdict is the outcome of a check.
type Verdict string

// Verdicts.
const (
	Vulnerable    Verdict = "vulnerable"
	NotVulnerable Verdict = "not-vulnerable"
	Unsure        Verdict = "unsure"     // tested, but the answers do not decide it: Summary says why
	NotTested     Verdict = "not-tested" // Summary says why
)

// Severity is how bad it is for an endpoint to have the flaw.
type Severity string

// Severities, worst first.
const (
	Critical Severity = "critical" // keys, plaintext or the server's memory can be had from afar, today
	High     Severity = "high"     // traffic can be decrypted or changed with means within reach
	Medium   Severity = "medium"   // an attack needs much traffic, a special client or a rich attacker
	Low      Severity = "low"      // a condition that an attack needs beside others, or one that clients make up for
	Info     Severity = "info"     // no attack, but some clients cannot connect
)

// Finding is the outcome of one check.
type Finding struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	CVE      string   `json:"cve,omitempty"`
	Verdict  Verdict  `json:"verdict"`
	Summary  string   `json:"summary"`            // one sentence
	Evidence []string `json:"evidence,omitempty"` // what was seen, one fact each
	Severity Severity `json:"severity"`           // of the flaw, whether the endpoint has it or not
	Source   string   `json:"source"`             // who described the flaw, or the standard that is broken
}

// Options direct the checks.
type Options struct {
	ServerName string   // sent as server_name; "" sends none
	Only       []string // ids of the checks to run; nil for all
	// ClientCertificate is presented where a handshake is completed and one is asked for, nil for none; its key must be
	// a crypto.Signer.
	ClientCertificate *tls.Certificate
}

// few checks do not hold up each other, even where the endpoint serves one connection after the other.
const few = 4

// patience is how many times a connection's time limit all checks together may take, unless the prober paces them. An
// endpoint that stalls every connection uses it up; what is then not decided is unsure.
const patience = 6

// Check runs the checks and returns a finding for each, always the same ones in the same order. r is what a full scan
// of t has learnt. The connections that are needed beside it are made by p, and fewer at once where the endpoint does
// not keep up. Round trips are not counted: some checks wait on purpose.
func Check(ctx context.Context, p *probe.Prober, t probe.Target, r *scan.Result, opt Options) []Finding {
	all := selected(opt.Only)
	s := newSubject(p, t, r, opt)
	if p.Pace == nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience*s.limit)
		defer cancel()
	}
	if len(all) > few && len(s.versions()) > 0 && s.serial(ctx) {
		for p.Limit() > 1 {
			p.Narrow()
		}
	}
	findings := make([]Finding, len(all))
	var group sync.WaitGroup
	for i := range all {
		group.Go(func() { findings[i] = all[i].finding(ctx, s) })
	}
	group.Wait()
	return findings
}

// selected are the checks with these ids, all for nil.
func selected(ids []string) []check {
	if ids == nil {
		return checks
	}
	return slices.DeleteFunc(slices.Clone(checks), func(c check) bool { return !slices.Contains(ids, c.id) })
}
