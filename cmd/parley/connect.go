// Handshakes with old servers are to be completed too: what crypto/tls leaves out by default is let in here
// and judged in the report.
//
//go:debug tlssha1=1
//go:debug rsa1024min=0
//go:debug tlsmaxrsasize=16384
//go:debug x509negativeserial=1

package main

import (
	"errors"
	"os"
	"os/signal"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/connect"
	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/render"
	"github.com/parley-tls/parley/suite"
)

// connectFlags are the options of `parley connect`.
type connectFlags struct {
	version                                   []string
	only                                      map[suite.Version]*bool // --tls1_2 and the like
	cipher, ciphersuites, groups, sigalgs     string
	serverName, startTLS                      string
	alpn                                      []string
	cert, key, caFile, openssl                string
	timeout                                   time.Duration
	noServerName, verify, noResumption, certs bool
	json                                      bool
}

func newConnectCmd() *cobra.Command {
	f := connectFlags{only: make(map[suite.Version]*bool)}
	cmd := &cobra.Command{
		Use:   "connect HOST[:PORT]",
		Short: "Make one connection as you force it, and say what came of it: what openssl s_client is used for",
		Long: `Connect once with exactly the protocols, cipher suites, groups, signature schemes and names that you say, and
print what was negotiated, the certificates and what a client makes of them, ALPN, the OCSP staple, mutual TLS
and whether the session can be resumed. Where it fails: the cause and the fixes, as parley why gives them.

A hello of Parley's own decides, which can offer anything that has a code. A second connection completes the
handshake with Go's crypto/tls where that has what was negotiated, and a third resumes the session
(--no-resumption leaves it out). Where crypto/tls cannot follow, the report says where it stopped.

--cipher means exactly these suites: TLS 1.3 is offered only with suites of its own (in --cipher or
--ciphersuites) or none forced. Suites are named as an OpenSSL cipher string, in which a suite that the release
of --openssl would not offer counts as the client's own failure and no connection is made; or by code (0xC02F),
which is offered whatever any library makes of it.

Exit codes: 0 the endpoint accepts it, 1 it fails (or, with --verify or --ca-file, the certificate does),
2 wrong usage or input, 3 the endpoint could not be reached.`,
		Example: `  parley connect lb.example.com
  parley connect lb.example.com:8443 --tls1_1
  parley connect lb.example.com --cipher ECDHE-RSA-AES128-SHA --groups P-384
  parley connect lb.example.com --tls1_3 --ciphersuites TLS_CHACHA20_POLY1305_SHA256
  parley connect lb.example.com --cert client.pem --key client.key --ca-file ca.pem
  parley connect mail.example.com:25 --starttls smtp`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("name one endpoint: HOST or HOST:PORT")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return runConnect(cmd, args[0], &f) },
	}
	f.register(cmd)
	return cmd
}

func (f *connectFlags) register(cmd *cobra.Command) {
	fl := cmd.Flags()
	for v, names := range versionFlags {
		f.only[v] = fl.Bool(names, false, "offer "+v.String()+" (with others of its kind: those)")
	}
	fl.StringSliceVar(&f.version, "version", nil, "the same by name: TLSv1.2, 1.2, SSLv3 …; may be repeated")
	fl.StringVar(&f.cipher, "cipher", "", "offer these suites alone: an OpenSSL cipher string, names, or codes as 0xC02F")
	fl.StringVar(&f.ciphersuites, "ciphersuites", "", "offer these suites of TLS 1.3")
	fl.StringVar(&f.openssl, "openssl", "3.0", "the release of OpenSSL for --cipher: 1.0.2, 1.1.1, 3.0, 3.5")
	fl.StringVar(&f.groups, "groups", "", "offer these groups, as X25519:P-256")
	fl.StringVar(&f.sigalgs, "sigalgs", "", "offer these signature schemes, as rsa_pss_rsae_sha256:ECDSA+SHA256")
	fl.StringVar(&f.serverName, "servername", "", "the name to ask for (SNI), if it is not the host's")
	fl.BoolVar(&f.noServerName, "no-servername", false, "ask for no name")
	fl.StringSliceVar(&f.alpn, "alpn", nil, "application protocols to offer, as h2,http/1.1")
	fl.StringVar(&f.cert, "cert", "", "PEM file with the client's certificate and its chain")
	fl.StringVar(&f.key, "key", "", "PEM file with its key (default: the file of --cert)")
	fl.StringVar(&f.startTLS, "starttls", "", "speak this protocol's plaintext first: smtp, imap, pop3, ftp, ldap, postgres, mysql …")
	fl.StringVar(&f.caFile, "ca-file", "", "PEM file with the roots to trust (default: the system's); implies --verify")
	fl.BoolVar(&f.verify, "verify", false, "fail where the certificate does not verify")
	fl.BoolVar(&f.certs, "showcerts", false, "print the certificates as PEM")
	fl.BoolVar(&f.noResumption, "no-resumption", false, "do not try to resume the session")
	fl.DurationVar(&f.timeout, "timeout", probe.DefaultTimeout, "time for each connection, and for looking the name up")
	fl.BoolVar(&f.json, "json", false, "print one JSON document (docs/schema/connect.schema.json)")
	fl.SetNormalizeFunc(spellings)
	cmd.SetFlagErrorFunc(oneDash)
}

func runConnect(cmd *cobra.Command, target string, f *connectFlags) error {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt)
	defer stop()
	q, err := f.request()
	var none *client.NoCiphersError
	var nothing *connect.NothingError
	switch {
	case asNoCiphers(err, &none), errors.As(err, &nothing):
		return reportConnect(cmd, connect.NotTried(target, &connect.Selection{Cipher: f.cipher, Ciphersuites: f.ciphersuites}, err), f.json)
	case err != nil:
		return err
	}
	if q.Endpoint, err = resolve(ctx, cmd, target, f.serverName); err != nil {
		return err
	}
	if q.Name = q.Endpoint.ServerName; f.noServerName {
		q.Endpoint.ServerName = ""
	}
	if f.startTLS != "" {
		if q.Endpoint.StartTLS, err = probe.ParseStartTLS(f.startTLS); err != nil {
			return err
		}
	}
	return reportConnect(cmd, connect.Run(ctx, q), f.json)
}

// reportConnect prints a report and turns its outcome into the exit code.
func reportConnect(cmd *cobra.Command, r *connect.Report, asJSON bool) error {
	w := cmd.OutOrStdout()
	var err error
	if asJSON {
		err = render.JSON(w, r)
	} else {
		err = render.Connect(w, r, styleFor(w))
	}
	switch {
	case err != nil:
		return err
	case r.Outcome == diagnose.Unreachable:
		return &exitError{code: exitUndecided}
	case r.Failure != nil:
		return answeredBad()
	}
	return nil
}
