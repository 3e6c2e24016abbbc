package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-tls/parley/inspect"
	"github.com/parley-tls/parley/probe"
)

// scanFlags are the options of `parley scan`.
type scanFlags struct {
	file, startTLS, serverName, proxy string
	failOn, baseline, caFile          string
	clientCert, clientKey             string
	parallel, connections             int
	rate                              float64
	timeout                           time.Duration
	lookupTimeout                     time.Duration // 0: that of every look-up
	quick, basic, allAddresses        bool
	openssl, iana                     bool
	json, xml, csv, html              string
}

func newScanCmd() *cobra.Command {
	var f scanFlags
	cmd := &cobra.Command{
		Use:   "scan HOST[:PORT]…",
		Short: "Show everything that TLS endpoints accept, and grade it",
		Long: `Find out everything that an endpoint accepts: protocols, all cipher suites in its order of preference, groups,
features and the certificates that it presents; which known vulnerabilities it has, by probes that harm nothing; and
say which predefined policy that is, how strong each suite is and why, and which of Mozilla's levels it reaches, with
what to change for the next.

Targets are HOST, HOST:PORT, addresses ([::1]:443) and URLs, on the command line or one a line in a file (-f FILE,
- for standard input; # begins a comment). They are scanned side by side, and each is printed when it is done. Of
a name with several addresses the first is scanned, unless --all-addresses asks for every one.

--json, --xml (in sslscan's own schema), --csv and --html replace the text on standard output, or with =FILE are
written there beside it. Where there is more than one target, --json writes one document a line.

A full scan makes some 100 to 200 connections. --basic asks for protocols, ciphers, groups and certificates, and of the
rest for what sslscan reports; --quick for what a diagnosis needs. The report says what they leave out.

When interrupted, what was found until then is printed.

Exit codes: 0 scanned, 1 a finding of --fail-on or a change for the worse since --baseline, 2 wrong usage or input,
3 an endpoint could not be reached, or the scan was interrupted.`,
		Example: `  parley scan lb.example.com
  parley scan lb.example.com:8443 10.0.0.7 https://other.example.com/ --json
  parley scan mail.example.com:25
  parley scan -f targets.txt --xml=scan.xml --html=scan.html
  parley scan lb.example.com --json=today.json --baseline yesterday.json --fail-on weak`,
		RunE: func(cmd *cobra.Command, args []string) error { return runScan(cmd, args, &f) },
	}
	f.register(cmd)
	return cmd
}

func (f *scanFlags) register(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringVarP(&f.file, "file", "f", "", "read targets from this file, one a line; - for standard input")
	fl.StringVar(&f.startTLS, "starttls", "", "speak this protocol's plaintext first: smtp, imap, pop3, ftp, ldap, postgres, mysql …; none for TLS at once (default: by the port), whose port is the default one")
	fl.StringVar(&f.serverName, "sni", "", "the name to ask for (SNI), if it is not the host's")
	fl.BoolVar(&f.allAddresses, "all-addresses", false, "scan every address of a name, not the first alone")
	fl.StringVar(&f.proxy, "proxy", "", "connect through http://HOST:PORT (CONNECT) or socks5://HOST:PORT, which looks names up")
	fl.BoolVar(&f.quick, "quick", false, "ask only what a diagnosis needs: at most 35 connections, no order")
	fl.BoolVar(&f.basic, "basic", false, "ask what sslscan reports: no other features and vulnerabilities")
	fl.IntVar(&f.parallel, "parallel", 8, "how many endpoints to scan at once")
	fl.IntVar(&f.connections, "connections", 16, "how many connections to keep open to an endpoint at once")
	fl.Float64Var(&f.rate, "rate", 0, "open at most this many connections a second, over all endpoints (default: no limit)")
	fl.DurationVar(&f.timeout, "timeout", probe.DefaultTimeout, "time for each connection, and for looking a name up")
	fl.StringVar(&f.failOn, "fail-on", "", "exit with 1 if a suite is insecure, or weak or worse; if the endpoint is vulnerable; or if the level is below modern, intermediate or old")
	fl.StringVar(&f.baseline, "baseline", "", "say what changed since this file, which --json has written")
	fl.StringVar(&f.caFile, "ca-file", "", "PEM file with roots to trust beside the system's")
	fl.StringVar(&f.clientCert, "client-cert", "", "PEM file with a certificate (and its key) to present where one is asked for: sessions, tickets, early data and some vulnerabilities show only behind it")
	fl.StringVar(&f.clientKey, "client-key", "", "PEM file with its key (default: the file of --client-cert)")
	fl.BoolVar(&f.openssl, "openssl-names", false, "name cipher suites as OpenSSL does (default)")
	fl.BoolVar(&f.iana, "iana-names", false, "name cipher suites as IANA does")
	for name, value := range map[string]*string{"json": &f.json, "xml": &f.xml, "csv": &f.csv, "html": &f.html} {
		fl.StringVar(value, name, "", "write "+map[string]string{
			"json": "JSON (docs/schema/scan.schema.json)", "xml": "XML in sslscan's schema", "csv": "a table, a row for each cipher suite", "html": "one self-contained page",
		}[name]+" in place of the text, or with =FILE to a file")
		fl.Lookup(name).NoOptDefVal = "-"
	}
	cmd.MarkFlagsMutuallyExclusive("openssl-names", "iana-names")
	cmd.MarkFlagsMutuallyExclusive("quick", "basic")
}

// runScan scans all targets and prints the reports as they come.
func runScan(cmd *cobra.Command, args []string, f *scanFlags) error {
	s, err := f.scanner(cmd, args)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	out, err := f.outputs(cmd.OutOrStdout(), s.many)
	if err != nil {
		return err
	}
	s.progress = newProgress(cmd.ErrOrStderr())
	s.run(ctx, out)
	s.progress.stop()
	if err := out.close(); err != nil {
		return err
	}
	return s.outcome(ctx)
}

// scanner scans targets and keeps count of what came out, and of nothing else: its memory does not grow with them.
type scanner struct {
	flags    *scanFlags
	targets  *targets
	many     bool
	dialer   inspect.Dialer
	pacer    *inspect.Pacer
	baseline baseline
	roots    *x509.CertPool        // of --ca-file
	system   func() *x509.CertPool // read while the first answers are on their way
	// certificate is the client's, nil without --client-cert
	certificate *tls.Certificate
	failOn      finding
	progress    *progress

	mu        sync.Mutex
	failed    bool // something that --fail-on or --baseline speaks of
	unreached int
	badInput  error // the first
	writeErr  error
}

// scanner checks the flags.
func (f *scanFlags) scanner(cmd *cobra.Command, args []string) (*scanner, error) {
	switch {
	case len(args) == 0 && f.file == "":
		return nil, errors.New("name at least one endpoint: HOST or HOST:PORT, or a file of them with -f FILE")
	case f.timeout <= 0:
		return nil, fmt.Errorf("--timeout %s: use a positive duration such as 5s", f.timeout)
	case f.parallel < 1 || f.parallel > 1024:
		return nil, fmt.Errorf("--parallel %d: use 1 to 1024", f.parallel)
	case f.connections < 1 || f.connections > 128:
		return nil, fmt.Errorf("--connections %d: use 1 to 128", f.connections)
	case f.rate < 0 || f.rate > 1e6 || cmd.Flags().Changed("rate") && f.rate == 0:
		return nil, fmt.Errorf("--rate %v: use a positive number of connections a second", f.rate)
	case f.failOn == "vulnerable" && f.depth() != inspect.Full:
		return nil, fmt.Errorf("--fail-on vulnerable: a %s scan does not look for all vulnerabilities: leave --%s out", f.depth(), f.depth())
	}
	s := &scanner{flags: f}
	var err error
	if f.startTLS != "" && f.startTLS != "none" {
		if _, err := probe.ParseStartTLS(f.startTLS); err != nil {
			return nil, err
		}
	}
	if f.proxy != "" {
		if s.dialer, err = inspect.ParseProxy(f.proxy); err != nil {
			return nil, fmt.Errorf("--proxy: %w", err)
		}
	}
	if f.rate > 0 {
		s.pacer = inspect.NewPacer(f.rate)
	}
	if s.failOn, err = parseFinding(f.failOn); err != nil {
		return nil, err
	}
	if f.caFile != "" {
		if s.roots, err = readRoots(f.caFile); err != nil {
			return nil, fmt.Errorf("--ca-file %w", err)
		}
	}
	if s.certificate, err = (certificateFiles{"--client-cert", f.clientCert, "--client-key", f.clientKey}).read(); err != nil {
		return nil, err
	}
	if cmd.Flags().Changed("timeout") {
		f.lookupTimeout = f.timeout
	}
	s.system = sync.OnceValue(func() *x509.CertPool {
		pool, _ := x509.SystemCertPool() // without one, the report says nothing of it
		return pool
	})
	if f.baseline != "" {
		if s.baseline, err = readBaseline(f.baseline); err != nil {
			return nil, fmt.Errorf("--baseline %w", err)
		}
	}
	if s.targets, err = openTargets(args, f, cmd.InOrStdin()); err != nil {
		return nil, err
	}
	s.many = len(args) != 1 || f.file != "" || f.allAddresses
	return s, nil
}

// run scans all targets, --parallel at a time.
func (s *scanner) run(ctx context.Context, out *outputs) {
	defer s.targets.close()
	go s.system()
	queue := make(chan address)
	var wg sync.WaitGroup
	for range s.flags.parallel {
		wg.Go(func() {
			for a := range queue {
				s.one(ctx, a, out)
			}
		})
	}
	s.feed(ctx, func(a address) {
		s.progress.queued()
		select {
		case queue <- a:
		case <-ctx.Done():
		}
	}, s.complain)
	close(queue)
	wg.Wait()
}

// one scans a target and prints its report.
func (s *scanner) one(ctx context.Context, a address, out *outputs) {
	t := a.Target
	p := &probe.Prober{Timeout: s.flags.timeout, Parallel: s.flags.connections, DialContext: s.dialer}
	if s.pacer != nil {
		p.Pace = s.pacer.Wait
	}
	opt := inspect.Options{Depth: s.flags.depth(), Now: time.Now(), Roots: s.roots, System: s.system, ClientCertificate: s.certificate}
	opt.Stage = s.progress.begin(t.Name, p)
	var r *inspect.Report
	if t.Address == "" {
		r = inspect.Unresolved(t, a.lookupErr, opt)
	} else {
		r = inspect.Run(ctx, p, t, opt)
	}
	s.progress.end(t.Name)
	s.judge(r)
	s.progress.pause(func() {
		if err := out.report(r); err != nil {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.writeErr = err
		}
	})
}

func (f *scanFlags) depth() inspect.Depth {
	switch {
	case f.quick:
		return inspect.Quick
	case f.basic:
		return inspect.Basic
	}
	return inspect.Full
}

// judge compares a report with the baseline and with --fail-on.
func (s *scanner) judge(r *inspect.Report) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if before := s.baseline[baselineKey(&r.Target)]; before != nil && !r.Interrupted {
		if before.Depth != r.Depth {
			r.NotTested = append(r.NotTested, fmt.Sprintf("what changed since the baseline: that was a %s scan, and this is a %s one", before.Depth, r.Depth))
		} else {
			r.Baseline = inspect.Compare(before, r)
			s.failed = s.failed || r.Baseline.Worse
		}
	} else if s.baseline != nil && before == nil {
		r.NotTested = append(r.NotTested, "what changed since the baseline: this endpoint is not in it")
	}
	if !r.Reached {
		s.unreached++
	}
	s.failed = s.failed || s.failOn.in(r)
}

// complain prints the one line that a bad target is worth, and goes on with the others.
func (s *scanner) complain(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.badInput == nil {
		s.badInput = err
		return
	}
	s.progress.pause(func() { fmt.Fprintln(s.progress.w, "parley:", err) })
}

// outcome turns what came out into the exit code: what is wrong counts before what was not found out.
func (s *scanner) outcome(ctx context.Context) error {
	switch {
	case s.writeErr != nil:
		return s.writeErr
	case s.badInput != nil:
		return s.badInput
	case s.failed:
		return answeredBad()
	case ctx.Err() != nil:
		return undecided(errors.New("interrupted: what was found until then is above"))
	case s.unreached > 0:
		return &exitError{code: exitUndecided}
	}
	return nil
}
