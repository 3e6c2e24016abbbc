package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/parley-tls/parley/capture"
	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/evidence"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/render"
	"github.com/parley-tls/parley/tap"
	"github.com/parley-tls/parley/watch"
	"github.com/spf13/cobra"
)

// tapFlags are the options of `parley tap`.
type tapFlags struct {
	listen, saveClient, evidence string
	noProbe, json                bool
	why                          whyFlags // of the diagnosis
}

func newTapCmd() *cobra.Command {
	var f tapFlags
	cmd := &cobra.Command{
		Use:   "tap HOST[:PORT] --listen ADDRESS | tap HOST[:PORT] -- COMMAND [ARGUMENT…]",
		Short: "Relay a program's connections to a load balancer, and say of each what was offered, what was answered, and why it failed",
		Long: `Relay a program's connections to a load balancer, byte for byte, and print what each negotiated: the program's real
hello, the answer, the cause of a failure and the fix. Nothing is decrypted, nothing is altered.

With --listen the program must be pointed at the relay's address. With a command after -- the command is run with a proxy
in its environment (https_proxy and the like, Java's and Node.js's settings), and its connections to HOST are recorded.

When a negotiation fails, the same hello is sent to the load balancer again with what parley why knows, to prove the
cause; --no-probe leaves that out.

Exit codes: 0 none failed, 1 some failed, 2 wrong usage or input, 3 no connection came, or the load balancer could not be reached.`,
		Example: `  parley tap lb.example.com --listen 127.0.0.1:8443
  parley tap lb.example.com -- curl https://lb.example.com/
  parley tap mail.example.com:25 --listen 127.0.0.1:2525 --save-client hello.hex`,
		Args: func(cmd *cobra.Command, args []string) error {
			before := len(args)
			if dash := cmd.ArgsLenAtDash(); dash >= 0 {
				before = dash
			}
			switch {
			case before != 1:
				return errors.New("name one target: HOST[:PORT]; a command comes after --")
			case len(args) == 1 && f.listen == "":
				return errors.New("say how the program gets to the relay: --listen 127.0.0.1:8443, or its command after --")
			case len(args) > 1 && f.listen != "":
				return errors.New("--listen is for a program that you start yourself: leave it out, or the command")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return runTap(cmd, args[0], args[1:], &f) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.listen, "listen", "", "the relay's own address, such as 127.0.0.1:8443")
	fl.StringVar(&f.saveClient, "save-client", "", "write the hello to this file, for parley why --client; that of the first failure if there is one")
	fl.StringVar(&f.evidence, "evidence", "", "write what was seen of each kind of client to this file (docs/schema/evidence.schema.json)")
	fl.BoolVar(&f.noProbe, "no-probe", false, "do not connect to the load balancer by oneself to find the cause")
	fl.StringVar(&f.why.family, "family", "", "the kind of load balancer whose policies are meant: aws-elb, aws-classic, cloudfront, azure-appgw, gcp, mozilla")
	fl.StringVar(&f.why.caFile, "ca-file", "", "PEM file with the roots that the client trusts (default: the system's)")
	fl.DurationVar(&f.why.timeout, "timeout", probe.DefaultTimeout, "time for each connection of the diagnosis")
	fl.BoolVar(&f.json, "json", false, "print a JSON document a line for each connection (docs/schema/negotiation.schema.json)")
	return cmd
}

// maxQueue is how many connections may wait to be told of before the relay waits for them.
const maxQueue = 4096

// tapping is one run of the command. Connections are told one after the other.
type tapping struct {
	cmd       *cobra.Command
	f         *tapFlags
	ctx       context.Context
	endpoint  *diagnose.Endpoint
	options   diagnose.Options
	collector *watch.Collector
	out, errs io.Writer // which the command writes to as well
	style     render.Style
	queue     chan func() // what is to be told, in its order; nil ends it
	told      chan struct{}

	listen     string // the relay's address
	exit       int    // the command's exit code
	seen       int
	failed     int
	unreached  int
	kept       *capture.Connection // whose hello is in the file of --save-client
	keptFailed bool
	warned     bool // of the name that the client asks for
	diagnoses  map[string]*diagnose.Diagnosis
	err        error // of writing
}

func runTap(cmd *cobra.Command, target string, command []string, f *tapFlags) error {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	e, err := parseEndpoint(target, "")
	if err != nil {
		return err
	}
	t := &tapping{cmd: cmd, f: f, ctx: ctx, endpoint: e, collector: watch.NewCollector(), out: shared(cmd.OutOrStdout()), errs: shared(cmd.ErrOrStderr()), diagnoses: make(map[string]*diagnose.Diagnosis)}
	if t.options, err = f.why.options(); err != nil {
		return err
	}
	t.style = styleFor(cmd.OutOrStdout())
	if f.evidence != "" {
		if err := writable(f.evidence); err != nil {
			return err
		}
		t.collector.Tally = &evidence.Tally{}
	}
	t.collector.Client = func(c *capture.Connection, _ string) string {
		if c == t.kept {
			return f.saveClient
		}
		return ""
	}
	recorder := &tap.Tap{}
	address := net.JoinHostPort(e.Host, e.Port)
	t.collector.Target = address
	// Connections go on while one is told of: a diagnosis takes seconds, and delays nobody.
	t.queue, t.told = make(chan func(), maxQueue), make(chan struct{})
	go func() {
		defer close(t.told)
		for tell := <-t.queue; tell != nil; tell = <-t.queue {
			tell()
		}
	}()
	recorder.Seen = func(c *capture.Connection) { t.queue <- func() { t.tell(c) } }
	recorder.Unreached = func(client netip.AddrPort, target string, err error) {
		at := time.Now()
		t.queue <- func() { t.tellUnreached(at, client, target, err) }
	}
	if len(command) == 0 {
		err = t.relay(recorder, address)
	} else {
		err = t.program(recorder, address, command)
	}
	t.finish(recorder)
	if err == nil {
		err = t.err
	}
	if err == nil && f.evidence != "" {
		err = writeEvidence(f.evidence, t.collector.Tally.Clients())
	}
	switch {
	case err != nil:
		return err
	case t.failed > 0:
		return answeredBad()
	case t.seen == 0 || t.unreached > 0:
		return &exitError{code: exitUndecided}
	}
	return nil
}

// shared is a writer for the relay and the command that it runs. A file goes to the command as it is.
func shared(w io.Writer) io.Writer {
	if f, ok := w.(*os.File); ok {
		return f
	}
	return &serial{w: w}
}

// serial writes one thing after the other.
type serial struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *serial) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(b)
}

// say writes a remark to the user, beside the report.
func (t *tapping) say(format string, args ...any) {
	fmt.Fprintf(t.errs, "parley: "+format+"\n", args...)
}

// relay serves until it is interrupted.
func (t *tapping) relay(recorder *tap.Tap, address string) error {
	l, err := net.Listen("tcp", t.f.listen)
	if err != nil {
		return fmt.Errorf("--listen %s: %w", t.f.listen, err)
	}
	t.listen = l.Addr().String()
	t.say("relaying %s to %s; interrupt to end", t.listen, address)
	err = recorder.Serve(t.ctx, l, address)
	recorder.Wait()
	return err
}

// finish waits until everything is told. The recorder has ended.
func (t *tapping) finish(recorder *tap.Tap) {
	t.queue <- nil
	<-t.told
	if t.listen != "" {
		t.say("negotiations: %d, failed: %d", t.seen, t.failed)
	}
	if t.exit != 0 && t.seen > 0 && t.failed == 0 {
		t.say("each handshake succeeded: what the command failed for comes after it. Programs with GnuTLS, such as wget and git, check the certificate only then: parley why %s has what there is to say of it", t.collector.Target)
	}
	if n := int(recorder.Silent.Load()); n > 0 {
		t.say("connections that ended without a ClientHello: %d", n)
	}
}

// tell prints one negotiation.
func (t *tapping) tell(c *capture.Connection) {
	t.seen++
	t.collector.Add(c)
	failed := c.Outcome().Result == evidence.Failed
	if failed {
		t.failed++
	}
	t.print(t.save(c, failed))
	e := t.collector.Event(c)
	if !t.f.json {
		t.print(render.TapEvent(t.out, e, t.style))
		t.warnOfName(e)
	}
	known := false
	if failed && e.Hello != nil && !t.f.noProbe {
		e.Diagnosis, known = t.diagnose(c, e)
	}
	switch {
	case t.f.json:
		enc := json.NewEncoder(t.out)
		enc.SetEscapeHTML(false)
		t.print(enc.Encode(e))
	case known:
		fmt.Fprintln(t.out, "    the same hello failed in the same way before: see there")
	default:
		t.print(render.TapCauses(t.out, e, t.style))
	}
}

func (t *tapping) print(err error) {
	if err != nil && t.err == nil {
		t.err = err
	}
}

// diagnose sends the same hello to the load balancer, once for each kind of hello and failure.
func (t *tapping) diagnose(c *capture.Connection, e *watch.Event) (d *diagnose.Diagnosis, known bool) {
	key := e.JA4 + e.Name + e.Failure
	if d := t.diagnoses[key]; d != nil {
		return d, true
	}
	if t.ctx.Err() != nil {
		return nil, false
	}
	endpoint := *t.endpoint
	if len(endpoint.Addresses) == 0 {
		lookUpHost(t.ctx, &endpoint)
		// The address that was met comes first: names of load balancers do not always lead to the same ones.
		if met := c.Server.Addr(); met.IsValid() {
			same := func(a string) bool { return a == met.String() }
			endpoint.Addresses = slices.Insert(slices.DeleteFunc(slices.Clone(endpoint.Addresses), same), 0, met.String())
		}
	}
	if e.Name != "" {
		endpoint.ServerName = e.Name
	}
	if !c.Banner {
		endpoint.StartTLS = diagnose.StartTLSOf(c.Preamble)
	}
	who := "the client"
	if c == t.kept {
		who = t.f.saveClient
	}
	opt := t.options
	opt.Now = time.Now()
	d = diagnose.Live(t.ctx, diagnose.FromHello(who, c.Hello), &endpoint, opt)
	if len(t.diagnoses) < 1000 {
		t.diagnoses[key] = d
	}
	return d, false
}

// warnOfName says once that a client was led astray by the relay's address.
func (t *tapping) warnOfName(e *watch.Event) {
	if t.warned || t.f.listen == "" || e.JA4 == "" || strings.EqualFold(e.Name, t.endpoint.Host) || len(t.endpoint.Addresses) > 0 {
		return
	}
	t.warned = true
	asks := "asks for no name"
	if e.Name != "" {
		asks = fmt.Sprintf("asks for %q", e.Name)
	}
	t.say("the client %s, since it was pointed at the relay; against %s it would ask for that. To keep the name: curl --connect-to %s:%s:%s, openssl s_client -servername, an entry in /etc/hosts, or the command after --",
		asks, t.endpoint.Host, t.endpoint.Host, t.endpoint.Port, t.listen)
}

// tellUnreached prints a connection for which there was no server.
func (t *tapping) tellUnreached(at time.Time, client netip.AddrPort, target string, err error) {
	t.unreached++
	e := watch.Unreached(at, client, target, err)
	if t.f.json {
		t.print(json.NewEncoder(t.out).Encode(e))
	} else {
		t.print(render.WatchEvent(t.out, e, t.style))
	}
}

// save writes the hello: the first, or the first that failed.
func (t *tapping) save(c *capture.Connection, failed bool) error {
	if t.f.saveClient == "" || c.Hello == nil || t.kept != nil && (t.keptFailed || !failed) {
		return nil
	}
	raw, err := c.Hello.Marshal()
	if err != nil {
		return err
	}
	t.kept, t.keptFailed = c, failed
	text := fmt.Sprintf("# ClientHello, JA4 %s, seen %s\n%s\n", c.Hello.JA4(), c.HelloAt.UTC().Format(time.RFC3339), hexLines(raw))
	if err := os.WriteFile(t.f.saveClient, []byte(text), 0o644); err != nil {
		return fmt.Errorf("--save-client: %w", err)
	}
	return nil
}
