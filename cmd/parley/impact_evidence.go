package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/parley-tls/parley/accesslog"
	"github.com/parley-tls/parley/capture"
	"github.com/parley-tls/parley/evidence"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/scan"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/watch"
)

// evidenceFlags say how to read logs among the evidence.
type evidenceFlags struct{ format, logFormat string }

func (f *evidenceFlags) add(fl *pflag.FlagSet) {
	fl.StringVar(&f.format, "format", "", "read logs as this format alone: "+strings.Join(formatNames(), ", "))
	fl.StringVar(&f.logFormat, "log-format", "", "the format of the lines of logs as nginx's log_format or HAProxy's log-format has it")
}

// seen is the evidence, and what it is judged by.
type seen struct {
	clients  []evidence.Client
	from     *policy.Policy
	id       *policy.Identity
	inferred bool // id is what the suites that were chosen tell
	warnings []string
}

// read reads all evidence, and finds out the policy of today.
func (f *impactFlags) read(cmd *cobra.Command, args []string) (*seen, error) {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt)
	defer stop()
	e := &seen{}
	var err error
	if e.id, err = parseIdentity(f.certs); err != nil {
		return nil, err
	}
	if err := e.today(ctx, cmd, f.from); err != nil {
		return nil, err
	}
	if err := e.evidence(ctx, cmd.InOrStdin(), args, &f.logs); err != nil {
		return nil, err
	}
	if e.id == nil {
		e.id = chosenBy(e.clients)
		e.inferred = e.id != nil
	}
	return e, nil
}

// evidence reads all of it. The same client in several files is one.
func (e *seen) evidence(ctx context.Context, stdin io.Reader, args []string, f *evidenceFlags) error {
	options, err := logOptions(f.format, f.logFormat)
	if err != nil {
		return err
	}
	sources, err := logSources(ctx, args, stdin)
	if err != nil {
		return err
	}
	var tally evidence.Tally
	var logs []accesslog.Source
	for _, s := range sources {
		if s.Remote {
			logs = append(logs, s)
			continue
		}
		in, err := s.Open()
		if err != nil {
			return err
		}
		r := bufio.NewReader(in)
		what := kindOfEvidence(r)
		switch what {
		case evidenceFile:
			err = e.file(s.Name, r, &tally)
		case evidenceCapture:
			err = e.capture(s.Name, r, &tally)
		default:
			if s.Once { // as far as it was looked at, it is read
				s.Open = func() (io.ReadCloser, error) { return readCloser{r, in}, nil }
				logs = append(logs, s)
				continue
			}
			logs = append(logs, s)
		}
		in.Close()
		if err != nil {
			return err
		}
	}
	if len(logs) > 0 {
		r := accesslog.ReadAll(logs, options)
		if err := nothingRead(r); err != nil {
			if len(logs) == len(sources) {
				return fmt.Errorf("%w (evidence is a capture, a log, or what --evidence writes)", err)
			}
			return err
		}
		if err := notFetched(r); err != nil {
			return err
		}
		for i := range r.Clients {
			if err := tally.Take(&r.Clients[i]); err != nil {
				return err
			}
		}
		e.warnings = append(e.warnings, r.Warnings...)
		tally.Beyond += r.Beyond
	}
	e.clients = tally.Clients()
	if tally.Beyond > 0 {
		e.warnings = append(e.warnings, fmt.Sprintf("%d connections and requests are left out: there are too many kinds of client", tally.Beyond))
	}
	if len(e.clients) == 0 {
		return errors.New("the evidence holds no client: nothing negotiated TLS in it")
	}
	return nil
}

// readCloser reads from one and closes the other.
type readCloser struct {
	io.Reader
	io.Closer
}

// Kinds of evidence.
const (
	evidenceLog = iota
	evidenceFile
	evidenceCapture
)

// kindOfEvidence looks at the beginning of a file.
func kindOfEvidence(r *bufio.Reader) int {
	head, _ := r.Peek(4096)
	switch {
	case bytes.Contains(head, []byte(`"`+evidence.Schema+`"`)):
		return evidenceFile
	case capture.IsCapture(head):
		return evidenceCapture
	}
	return evidenceLog
}

// file reads a file of evidence. One line that is whole makes it one: the others are warned of.
func (e *seen) file(name string, r io.Reader, tally *evidence.Tally) error {
	taken, err := tally.TakeAll(r)
	switch {
	case err != nil && taken == 0:
		return fmt.Errorf("%s: %w", name, err)
	case err != nil:
		e.warnings = append(e.warnings, fmt.Sprintf("%s: %v; the other lines were read", name, err))
	}
	return nil
}

// capture reads a packet capture.
func (e *seen) capture(name string, r io.Reader, tally *evidence.Tally) error {
	c := watch.NewCollector()
	c.Tally = tally
	st, err := capture.Follow(name, r, c.Add)
	if err != nil {
		return err
	}
	for _, w := range st.Warnings {
		e.warnings = append(e.warnings, name+": "+w)
	}
	return nil
}

// chosenBy tells the kinds of certificates by the suites that were chosen, nil where none tells.
func chosenBy(clients []evidence.Client) *policy.Identity {
	var id policy.Identity
	has := func(k policy.KeyType) bool { return slices.Contains(keyTypes(&id), k) }
	for _, c := range clients {
		for _, o := range c.Outcomes {
			s := suite.ByCode(o.Suite)
			switch {
			case o.Result != evidence.Established || s == nil:
			case s.Authentication == suite.AuthRSA && !has(policy.RSA):
				id.Certificates = append(id.Certificates, policy.Certificate{KeyType: policy.RSA, Bits: 2048})
			case s.Authentication == suite.AuthECDSA && !has(policy.ECDSA):
				id.Certificates = append(id.Certificates, policy.Certificate{KeyType: policy.ECDSA, Bits: 256, Curve: suite.Secp256r1})
			}
		}
	}
	if len(id.Certificates) == 0 {
		return nil
	}
	return &id
}

// today finds the policy of --from: by name, in a file, or at an endpoint.
func (e *seen) today(ctx context.Context, cmd *cobra.Command, from string) (err error) {
	if from == "" {
		return nil
	}
	if !isEndpoint(from) {
		if e.from, err = findPolicy(from); err != nil {
			return fmt.Errorf("--from: %w", err)
		}
		return nil
	}
	target, err := resolve(ctx, cmd, from, "")
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	if len(target.Addresses) == 0 {
		return undecided(fmt.Errorf("--from %s: the name does not resolve; parley why %s says more", from, from))
	}
	t := probe.Target{Address: net.JoinHostPort(target.Addresses[0], target.Port), ServerName: target.Host}
	r := scan.Full(ctx, &probe.Prober{}, t, scan.Options{ServerName: target.ServerName})
	if len(r.Seen.Policy.Versions) == 0 {
		return undecided(fmt.Errorf("--from %s: no TLS handshake succeeds; parley why %s says more", from, from))
	}
	e.from = r.Seen.Policy
	if !r.Seen.OrderKnown {
		e.from.Order = policy.OrderUnknown
	}
	if e.id == nil && len(r.Seen.Identity.Certificates) > 0 {
		e.id = &r.Seen.Identity
	}
	return nil
}

// parseShare reads 0.1% or 0.001.
func parseShare(s string) (float64, error) {
	number, isPercent := strings.CutSuffix(strings.TrimSpace(s), "%")
	n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if isPercent {
		n /= 100
	}
	if err != nil || !(n >= 0 && n <= 1) {
		return 0, errors.New("use a share such as 0.1% or 0.001")
	}
	return n, nil
}
