package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/render"
	"github.com/spf13/cobra"
)

// whyLive diagnoses a live endpoint.
func whyLive(cmd *cobra.Command, target string, f *whyFlags) error {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt)
	defer stop()
	opt, err := f.options()
	if err != nil {
		return err
	}
	var c *diagnose.ClientSide
	if f.client != "" {
		var none *client.NoCiphersError
		c, err = clientSide(cmd.InOrStdin(), f.client, f.openssl)
		if asNoCiphers(err, &none) {
			return report(cmd, diagnose.NothingToOffer(f.client, target, err), f.json)
		}
		if err != nil {
			return err
		}
	}
	e, err := resolve(ctx, cmd, target, f.serverName)
	if err != nil {
		return err
	}
	if f.startTLS != "" {
		if e.StartTLS, err = probe.ParseStartTLS(f.startTLS); err != nil {
			return err
		}
	}
	if c == nil {
		return reportTable(cmd, diagnose.AllClients(ctx, e, opt), f.json)
	}
	return report(cmd, diagnose.Live(ctx, c, e, opt), f.json)
}

// options turns flags into the options of a diagnosis.
func (f *whyFlags) options() (diagnose.Options, error) {
	opt := diagnose.Options{Prober: &probe.Prober{Timeout: f.timeout}, Now: time.Now(), Repeat: f.repeat}
	if f.timeout <= 0 {
		return opt, fmt.Errorf("--timeout %s: use a positive duration such as 5s", f.timeout)
	}
	if f.repeat < 0 || f.repeat > 10000 {
		return opt, fmt.Errorf("--repeat %d: use 0 to 10000", f.repeat)
	}
	if f.family != "" {
		family, err := policy.ParseFamily(f.family)
		if err != nil {
			return opt, err
		}
		opt.Family = family
	}
	if f.caFile != "" {
		pem, err := os.ReadFile(f.caFile)
		if err != nil {
			return opt, fmt.Errorf("--ca-file: %w", err)
		}
		opt.Roots, opt.CAGiven = x509.NewCertPool(), true
		if !opt.Roots.AppendCertsFromPEM(pem) {
			return opt, fmt.Errorf("--ca-file %s: no certificate in it: a PEM file is expected", f.caFile)
		}
	}
	return opt, nil
}

// resolve reads HOST, HOST:PORT or a URL and looks the host up, within --timeout where the command was given one. A name
// that does not resolve is no error here: it is a diagnosis.
func resolve(ctx context.Context, cmd *cobra.Command, target, serverName string) (*diagnose.Endpoint, error) {
	e, err := parseEndpoint(target, serverName)
	if err == nil && len(e.Addresses) == 0 {
		if limit, err := cmd.Flags().GetDuration("timeout"); err == nil && cmd.Flags().Changed("timeout") {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, limit)
			defer cancel()
		}
		lookUpHost(ctx, e)
	}
	return e, err
}

// parseEndpoint reads HOST, HOST:PORT or a URL. Addresses is set where the host is one.
func parseEndpoint(target, serverName string) (*diagnose.Endpoint, error) {
	e := &diagnose.Endpoint{Name: target, Port: "443", ServerName: serverName}
	host := target
	if strings.Contains(target, "://") {
		u, err := url.Parse(target)
		if err != nil || u.Hostname() == "" {
			return nil, fmt.Errorf("%q is no URL with a host: use https://HOST/ or HOST:PORT", target)
		}
		host = u.Hostname()
		if u.Port() != "" {
			e.Port = u.Port()
		}
	} else if h, p, err := net.SplitHostPort(target); err == nil {
		host, e.Port = h, p
	} else if strings.Count(target, ":") == 1 {
		return nil, fmt.Errorf("%q: a port is missing after the colon", target)
	}
	host = strings.Trim(host, "[]")
	if n, err := strconv.ParseUint(e.Port, 10, 16); err != nil || n == 0 {
		return nil, fmt.Errorf("%q: the port must be a number from 1 to 65535", target)
	}
	if host == "" || strings.ContainsAny(host, " /") {
		return nil, fmt.Errorf("%q is no host: use HOST, HOST:PORT, https://HOST/ or policy:NAME", target)
	}
	e.Host = host
	if a, err := netip.ParseAddr(host); err == nil {
		e.Addresses = []string{a.String()}
		return e, nil
	}
	if e.ServerName == "" {
		e.ServerName = host
	}
	return e, nil
}

// lookUpHost finds the addresses of the host, in ten seconds at most.
func lookUpHost(ctx context.Context, e *diagnose.Endpoint) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	e.Addresses, e.LookupErr = net.DefaultResolver.LookupHost(ctx, e.Host)
}

// reportTable prints the table of all clients: exit code 0 if the endpoint was judged.
func reportTable(cmd *cobra.Command, t *diagnose.Table, asJSON bool) error {
	w := cmd.OutOrStdout()
	var err error
	if asJSON {
		err = render.JSON(w, t)
	} else {
		err = render.WhyTable(w, t, styleFor(w))
	}
	if err == nil && !t.Reached {
		return &exitError{code: exitUndecided}
	}
	return err
}
