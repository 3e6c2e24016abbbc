package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/parley-tls/parley/capture"
	"github.com/parley-tls/parley/cipherlist"
	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/render"
	"github.com/spf13/cobra"
)

// whyFlags are the options of `parley why`.
type whyFlags struct {
	client, serverName, family, caFile, openssl string
	certs                                       []string
	timeout                                     time.Duration
	repeat                                      int
	startTLS                                    string
	json, demo                                  bool
	whyAWSFlags
}

func newWhyCmd() *cobra.Command {
	var f whyFlags
	cmd := &cobra.Command{
		Use:   "why HOST[:PORT]|policy:NAME|ARN|aws:NAME[:PORT]|--demo",
		Short: "Say why a client and a load balancer cannot agree on TLS, and the least change that fixes it",
		Long: `Say whether a client gets in, and if not why: the cause, the two sets that failed to meet, the policy that the
endpoint runs, the least fix on each side, and the evidence.

The client is a known one (parley client list), ciphers:STRING for a client with these OpenSSL ciphers and no
others, or a file with its ClientHello (pcap, pcapng, hex or raw; - for standard input), which is sent byte for
byte; CAPTURE#N is the hello in packet N, as parley watch names it. Without --client all known clients are judged, in one table.

An AWS load balancer is named by its ARN or its listener's, by aws:NAME[:PORT], or with --aws by NAME or DNS name; a NAME alone means
one where it has no dot and DNS knows no such host. Then AWS's API tells policy and certificates, and what else keeps clients out:
no TLS listener on the port, security groups, network ACLs, expired certificates, mutual TLS. The endpoint is probed as well, and where
it does otherwise than the API says, that is a finding; where it is not reached, the API's word decides. docs/aws.md has more.

Exit codes: 0 it works, 1 it fails, 2 wrong usage or input, 3 the endpoint could not be reached.`,
		Example: `  parley why lb.example.com --client java-7u25
  parley why lb.example.com
  parley why --demo
  parley why policy:ELBSecurityPolicy-TLS13-1-2-2021-06 --client ciphers:AES128-SHA --cert rsa:2048
  parley why 127.0.0.1:8443 --client hello.pcap
  parley why aws:my-alb --client java-7u25 --source 198.51.100.7
  parley why arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/my-clb:443 --no-probe`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case f.demo && len(args) > 0:
				return errors.New("--demo brings its own endpoint: leave out " + args[0])
			case !f.demo && len(args) != 1:
				return errors.New("name one endpoint (HOST[:PORT] or policy:NAME), or try --demo")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.demo {
				return whyDemo(cmd, &f)
			}
			return why(cmd, args[0], &f)
		},
	}
	fl := cmd.Flags()
	fl.StringVarP(&f.client, "client", "c", "", "the client: a profile, ciphers:STRING, or a file with a ClientHello")
	fl.StringVar(&f.serverName, "servername", "", "the name to ask for (SNI), if it is not the host's")
	fl.StringArrayVar(&f.certs, "cert", nil, "with policy:NAME, a certificate of the load balancer: rsa:2048, ecdsa:256 …; may be repeated")
	fl.StringVar(&f.openssl, "openssl", "3.0", "with ciphers:STRING, the release of OpenSSL: 1.0.2, 1.1.1, 3.0, 3.5")
	fl.StringVar(&f.family, "family", "", "the kind of load balancer whose policies are meant: aws-elb, aws-classic, cloudfront, azure-appgw, gcp, mozilla")
	fl.StringVar(&f.caFile, "ca-file", "", "PEM file with the roots that the client trusts (default: the system's)")
	fl.StringVar(&f.startTLS, "starttls", "", "speak this protocol's plaintext first: smtp, imap, pop3, ftp, ldap, postgres, mysql …")
	fl.DurationVar(&f.timeout, "timeout", probe.DefaultTimeout, "time for each connection, and for looking the name up")
	fl.IntVar(&f.repeat, "repeat", 0, "send the client's hello and its smallest working variant this often, in turn")
	fl.BoolVar(&f.demo, "demo", false, "diagnose an old client against an embedded endpoint on loopback")
	fl.BoolVar(&f.json, "json", false, "print one JSON document (docs/schema/why.schema.json)")
	f.whyAWSFlags.add(fl)
	return cmd
}

func why(cmd *cobra.Command, target string, f *whyFlags) error {
	name, isPolicy := strings.CutPrefix(target, "policy:")
	if !isPolicy {
		if len(f.certs) > 0 {
			return errors.New("--cert goes with policy:NAME; a live endpoint shows its own certificates")
		}
		return whyEndpoint(cmd, target, f)
	}
	if err := refuseWithoutAWS(cmd.Flags(), target); err != nil {
		return err
	}
	p, err := findPolicy(name)
	if err != nil {
		return err
	}
	id, err := parseIdentity(f.certs)
	if err != nil {
		return err
	}
	if f.client == "" {
		return reportTable(cmd, diagnose.AllAgainstPolicy(p, id, f.serverName, time.Now()), f.json)
	}
	c, err := clientSide(cmd.InOrStdin(), f.client, f.openssl)
	var none *client.NoCiphersError
	if asNoCiphers(err, &none) {
		return report(cmd, diagnose.NothingToOffer(f.client, target, err), f.json)
	}
	if err != nil {
		return err
	}
	if c.Plain != nil {
		return fmt.Errorf("%s: no ClientHello in it but plaintext HTTP; name a live endpoint to see what it answers", f.client)
	}
	return report(cmd, diagnose.AgainstPolicy(c, p, id, f.serverName, time.Now()), f.json)
}

// asNoCiphers reports whether err says that a client has nothing to offer, though every word was known.
func asNoCiphers(err error, none **client.NoCiphersError) bool {
	return errors.As(err, none) && len((*none).Unknown) == 0
}

// report prints a diagnosis and turns its outcome into the exit code.
func report(cmd *cobra.Command, d *diagnose.Diagnosis, asJSON bool) error {
	w := cmd.OutOrStdout()
	var err error
	if asJSON {
		err = render.JSON(w, d)
	} else {
		err = render.Why(w, d, styleFor(w))
	}
	switch {
	case err != nil:
		return err
	case d.Outcome == diagnose.Negotiated:
		return nil
	case d.Outcome == diagnose.Unreachable && !d.Explained():
		return &exitError{code: exitUndecided}
	}
	return answeredBad()
}

// clientSide reads the value of --client.
func clientSide(stdin io.Reader, name, release string) (*diagnose.ClientSide, error) {
	if spec, ok := strings.CutPrefix(name, "ciphers:"); ok {
		rel, err := cipherlist.ParseRelease(release)
		if err != nil {
			return nil, err
		}
		o, err := client.FromCipherString(rel, spec)
		if err != nil {
			return nil, err
		}
		return diagnose.FromOffer(name, "ciphers", *o), nil
	}
	if p := client.ByName(name); p != nil {
		return diagnose.FromProfile(p), nil
	}
	var found []capture.Found
	var err error
	switch _, statErr := os.Stat(name); {
	case name == "-":
		found, err = capture.Read("standard input", stdin)
	case statErr == nil:
		if raw, rerr := head(name, 64); rerr == nil && hello.Sniff(raw) == hello.KindHTTP {
			return &diagnose.ClientSide{Name: name, Kind: "hello", Plain: raw}, nil
		}
		found, err = capture.ReadFile(name)
	default:
		if h, ok, err := helloInPacket(name); ok {
			if err != nil {
				return nil, err
			}
			return diagnose.FromHello(name, h), nil
		}
		p, err := client.Find(name) // a release line, another name
		if err != nil {
			return nil, err
		}
		return diagnose.FromProfile(p), nil
	}
	if err != nil && len(found) == 0 {
		return nil, err
	}
	return diagnose.FromHello(name, found[0].Hello), nil
}

// head returns the first n bytes of a file.
func head(path string, n int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var b bytes.Buffer
	_, err = io.Copy(&b, io.LimitReader(f, n))
	return b.Bytes(), err
}
