package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/parley-tls/parley/aws/account"
	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/aws/find"
	"github.com/parley-tls/parley/aws/metric"
	"github.com/parley-tls/parley/aws/reach"
	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/render"
)

// whyAWSFlags are the options of `parley why` for a load balancer that AWS's API is asked about.
type whyAWSFlags struct {
	awsFlags
	aws, noProbe, clientCert bool
	source, connect          string
}

func (f *whyAWSFlags) add(fl *pflag.FlagSet) {
	f.awsFlags.add(fl)
	fl.BoolVar(&f.aws, "aws", false, "the name is that of an AWS load balancer or listener (as aws:NAME and an ARN always are)")
	fl.StringVar(&f.source, "source", "", "with AWS: the client's IP address, for security groups, network ACLs and internal load balancers")
	fl.BoolVar(&f.clientCert, "client-certificate", false, "with AWS: the client has a certificate that the listener's trust store vouches for")
	fl.BoolVar(&f.noProbe, "no-probe", false, "with AWS: judge by what the API says alone")
	fl.StringVar(&f.connect, "connect", "", "with AWS: probe this HOST[:PORT] instead of the load balancer's DNS name")
}

// lookUpName bounds the look-up of a name that may be a host's or a load balancer's.
const lookUpName = 5 * time.Second

// askAccount bounds the question whether a name that no host has is a load balancer's.
const askAccount = 10 * time.Second

// meansAWS reports whether a target is a load balancer by its name: an ARN, aws:NAME, or with --aws. The second answer is that it
// may be one: a name without a dot that DNS does not know as a host.
func (f *whyAWSFlags) meansAWS(ctx context.Context, target string) (sure, maybe bool) {
	if f.aws || elb.IsAWSName(target) {
		return true, false
	}
	name, _, _ := strings.Cut(target, ":")
	if strings.ContainsAny(target, "./[]") || strings.Count(target, ":") > 1 || name == "localhost" {
		return false, false
	}
	if _, err := elb.ParseName(target); err != nil {
		return false, false
	}
	ctx, cancel := context.WithTimeout(ctx, lookUpName)
	defer cancel()
	a, err := net.DefaultResolver.LookupHost(ctx, name)
	return false, err != nil || len(a) == 0
}

// found is a listener that a name means.
type found struct {
	session  *account.Session
	listener *elb.Listener
	have     []elb.Listener // all of the load balancer
}

// whyAWS diagnoses a listener of AWS: by what the API says of it, and by the endpoint itself where that is reached.
func whyAWS(ctx context.Context, cmd *cobra.Command, at *found, f *whyFlags) error {
	o := reach.Options{ClientCertificate: f.clientCert, Now: time.Now(), Have: at.have}
	if f.source != "" {
		a, err := netip.ParseAddr(f.source)
		if err != nil {
			return fmt.Errorf("--source %q: use an IP address", f.source)
		}
		o.Source = a
	}
	opt, err := f.options()
	if err != nil {
		return err
	}
	var c *diagnose.ClientSide
	if f.client != "" {
		var none *client.NoCiphersError
		c, err = clientSide(cmd.InOrStdin(), f.client, f.openssl)
		if asNoCiphers(err, &none) {
			return report(cmd, diagnose.NothingToOffer(f.client, at.listener.Identifier(), err), f.json)
		}
		if err != nil {
			return err
		}
		if c.Plain != nil {
			return fmt.Errorf("%s: no ClientHello in it but plaintext HTTP", f.client)
		}
	}
	e, err := f.endpoint(ctx, cmd, at.listener, f.serverName)
	if err != nil {
		return err
	}
	if f.startTLS != "" {
		if e.StartTLS, err = probe.ParseStartTLS(f.startTLS); err != nil {
			return err
		}
	}
	if opt.Family == "" {
		opt.Family = at.listener.Kind.Family()
	}
	opt.Told = &diagnose.Told{Listener: at.listener, Identifier: at.listener.Identifier()}
	var told *diagnose.Told
	var wg sync.WaitGroup
	wg.Go(func() { told = reach.Check(ctx, at.session, at.listener, o) })
	var counted []diagnose.Obstacle
	var uncounted []string
	wg.Go(func() { counted, uncounted = failedHandshakes(ctx, at, o.Now) })
	apiSays := func() *diagnose.Told {
		wg.Wait()
		told.Obstacles, told.Unknown = append(told.Obstacles, counted...), append(told.Unknown, uncounted...)
		return told
	}
	if c == nil {
		var live *diagnose.Table
		if !f.noProbe {
			live = diagnose.AllClients(ctx, e, opt)
		}
		return reportTable(cmd, diagnose.WeighTable(apiSays(), live, e.ServerName, o.Now), f.json)
	}
	var live *diagnose.Diagnosis
	if !f.noProbe {
		live = diagnose.Live(ctx, c, e, opt)
	}
	return report(cmd, diagnose.Weigh(c, apiSays(), live, e.ServerName, o.Now), f.json)
}

// failedSince is how far back failed handshakes are looked for, beside a listener.
const failedSince = 24 * time.Hour

// failedHandshakes says what CloudWatch counts for the load balancer: whether it is one client that fails, or many since some change.
func failedHandshakes(ctx context.Context, at *found, now time.Time) (counted []diagnose.Obstacle, unknown []string) {
	all, problems := metric.Ask(ctx, []*account.Session{at.session}, []elb.Listener{*at.listener}, metric.Options{Since: failedSince, Now: now, Trail: metric.OnRise})
	for _, p := range problems {
		unknown = append(unknown, p.Missing+": "+p.Err.Error())
	}
	for i := range all {
		b := &all[i]
		switch {
		case b.Note != "" || b.Rise.Outcome == metric.NoTests:
			continue
		case b.Errors == 0:
			return nil, unknown
		}
		counted = append(counted, diagnose.Obstacle{ID: "failed-handshakes", Keeps: diagnose.KeepsNone, Evidence: []diagnose.Evidence{},
			Summary: "in the last 24 hours, over all listeners of " + b.Name + ": " + lowerFirst(render.ErrorsLine(b)) + " (parley aws errors)"})
	}
	return counted, unknown
}

// lowerFirst lets a sentence go on after a colon.
func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// whyEndpoint diagnoses a host, or the listener of AWS that a name means.
func whyEndpoint(cmd *cobra.Command, target string, f *whyFlags) error {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt)
	defer stop()
	switch sure, maybe := f.meansAWS(ctx, target); {
	case sure:
		at, err := f.listener(ctx, target)
		if err != nil {
			return err
		}
		return whyAWS(ctx, cmd, at, f)
	case maybe:
		// No host has the name. If no load balancer has it either, or nobody can be asked, it is a host that DNS does not know.
		short, cancel := context.WithTimeout(ctx, askAccount)
		defer cancel()
		at, err := f.listener(short, target)
		var several *find.AmbiguousError
		switch {
		case err == nil:
			return whyAWS(ctx, cmd, at, f)
		case errors.As(err, &several):
			return err
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "parley: DNS knows no host %s; as a load balancer of AWS: %v\n", target, err)
	}
	if err := refuseWithoutAWS(cmd.Flags(), target); err != nil {
		return err
	}
	return whyLive(cmd, target, f)
}

// listener finds the listener that a name means, and all that its load balancer has. Where the load balancer has none on the
// port, or none with TLS where no port was named, it stands for the one that is missing.
func (f *whyAWSFlags) listener(ctx context.Context, target string) (*found, error) {
	n, err := elb.ParseName(target)
	if err != nil {
		return nil, err
	}
	sessions, err := f.openAt(ctx, n.Region)
	if err != nil {
		return nil, err
	}
	l, err := find.Resolve(ctx, sessions, n)
	var none *find.NoTLSError
	switch {
	case err == nil:
		return &found{find.SessionOf(sessions, l), l, []elb.Listener{*l}}, nil
	case errors.As(err, &none) && len(none.Listeners) > 0:
		l := noTLS(n, none.Listeners)
		return &found{find.SessionOf(sessions, l), l, none.Listeners}, nil
	case find.AboutName(err):
		return nil, err
	}
	return nil, undecided(err)
}

// noTLS is the listener that a user meant who named a load balancer without TLS there: that on the port, or on 443, or the one that is
// missing.
func noTLS(n elb.Name, have []elb.Listener) *elb.Listener {
	port := n.Port
	if port == 0 {
		port = 443
		if len(have) == 1 {
			port = have[0].Port
		}
	}
	if at := slices.IndexFunc(have, func(x elb.Listener) bool { return x.Port == port }); at >= 0 {
		return &have[at]
	}
	return reach.Missing(have, port)
}

// endpoint is where the listener is probed. Its DNS name is looked up where it is.
func (f *whyAWSFlags) endpoint(ctx context.Context, cmd *cobra.Command, l *elb.Listener, serverName string) (*diagnose.Endpoint, error) {
	if serverName == "" {
		serverName = l.ServerName()
	}
	target := fmt.Sprintf("%s:%d", l.DNSName, l.Port)
	if f.connect != "" {
		target = f.connect
		if _, _, err := net.SplitHostPort(target); err != nil {
			target = net.JoinHostPort(strings.Trim(target, "[]"), strconv.Itoa(l.Port))
		}
	}
	e, err := parseEndpoint(target, serverName)
	if err != nil || f.noProbe || len(e.Addresses) > 0 {
		return e, err
	}
	return resolve(ctx, cmd, target, serverName)
}

// refuseWithoutAWS is an error where an option was given that only load balancers of AWS have a use for.
func refuseWithoutAWS(fl *pflag.FlagSet, target string) error {
	for _, name := range []string{"source", "client-certificate", "no-probe", "connect"} {
		if fl.Changed(name) {
			return fmt.Errorf("--%s goes with a load balancer of AWS: %s is none (name one by its ARN or as aws:NAME)", name, target)
		}
	}
	return nil
}

// openAt opens the accounts in the region of a name, or in those that the flags say where the name has none.
func (f *awsFlags) openAt(ctx context.Context, region string) ([]*account.Session, error) {
	x := *f
	if region != "" {
		x.Regions, x.AllRegions = []string{region}, false
	}
	return x.open(ctx)
}
