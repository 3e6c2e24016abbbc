package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/parley-tls/parley/aws/account"
	"github.com/parley-tls/parley/aws/change"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/render"
)

// carryFlags say how a plan is carried out and proved.
type carryFlags struct {
	aws      awsFlags
	journal  string
	connect  string
	wait     time.Duration
	noVerify bool
	yes      bool
	force    bool
	dryRun   bool
	json     bool
}

// defaultWait is how long an endpoint may take to behave as its new policy.
const defaultWait = 5 * time.Minute

func (f *carryFlags) add(fl *pflag.FlagSet) {
	f.aws.add(fl)
	fl.StringVar(&f.journal, "journal", "", "the journal's file (default: parley/aws-journal.jsonl in $XDG_STATE_HOME or ~/.local/state)")
	fl.StringVar(&f.connect, "connect", "", "prove the change at HOST:PORT instead of the load balancer's own name")
	fl.DurationVar(&f.wait, "wait", defaultWait, "how long the endpoint may take to behave as the new policy")
	fl.BoolVar(&f.noVerify, "no-verify", false, "do not connect to the endpoint: what the API shows is enough")
	fl.BoolVar(&f.yes, "yes", false, "do not ask before the change is made")
	fl.BoolVar(&f.force, "force", false, "make the change even where no handshake would succeed, or undo where the listener changed since")
	fl.BoolVar(&f.dryRun, "dry-run", false, "print what would be done, and change nothing")
	fl.BoolVar(&f.json, "json", false, "print one JSON document")
}

// outcome gives an error of package change the exit code that it stands for.
func outcome(err error) error {
	var e *change.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Outcome {
	case change.NotDone:
		return &exitError{exitBad, err}
	case change.Open:
		return undecided(err)
	}
	return err
}

// carrier carries one plan out.
type carrier struct {
	*carryFlags
	cmd      *cobra.Command
	session  *account.Session
	journal  *change.Journal
	plan     *render.AWSPlan
	from, to *policy.Policy // what both policies accept; nil where that is not known
}

// errNoTerminal is that nobody can be asked.
var errNoTerminal = errors.New("nothing was changed: there is no terminal to ask on; say --yes to make the change, or --dry-run to see it alone")

// run shows the plan, asks, makes the change and proves it.
func (c *carrier) run(ctx context.Context) error {
	p := c.plan.Plan
	switch {
	case c.wait < 0:
		return fmt.Errorf("--wait %s: use 0 or a duration such as 5m", c.wait)
	case c.dryRun:
		return output(c.cmd, c.json, c.plan)
	case !p.Nothing() && p.Severe() != nil && !c.force:
		return &exitError{exitBad, fmt.Errorf("%s; nothing was changed, --force does it nevertheless", p.Severe().Text)}
	case !p.Nothing() && !c.yes:
		if err := c.ask(); err != nil {
			return err
		}
	}
	prog := newSteps(c.cmd.ErrOrStderr())
	r := &change.Runner{API: change.NewAPI(c.session, p.Listener), Journal: c.journal, By: c.session.Place, Tell: prog}
	done, err := r.Apply(ctx, p)
	if err != nil {
		return outcome(err)
	}
	doc := &render.AWSChange{Schema: "parley/aws-change/1", Change: done.Change, Plan: c.plan, Status: "applied", Made: done.Created, Gone: done.Removed, Kept: done.Kept, Appeared: done.Appeared}
	if done.Already {
		doc.Status = "already"
	} else {
		doc.Undo = "parley aws undo " + done.Change
		if c.carryFlags.journal != "" {
			doc.Undo += " --journal " + shellWord(c.carryFlags.journal)
		}
		if p.Set.Policies != nil && p.Had.Policy != "" && p.Had.Policy != p.Set.Policy && !slices.Contains(done.Removed, p.Had.Policy) {
			doc.Left = []string{p.Had.Policy}
		}
	}
	doc.Proof, err = c.prove(ctx, done.Change, prog)
	if err != nil {
		return err
	}
	if err := output(c.cmd, c.json, doc); err != nil {
		return err
	}
	switch doc.Proof.Verdict {
	case change.StillOld, change.Neither:
		return answeredBad()
	case change.Unreachable, change.Unprovable:
		return &exitError{code: exitUndecided}
	}
	return nil
}

// prove looks at the endpoint and notes in the journal what it saw.
func (c *carrier) prove(ctx context.Context, id string, tell func(string)) (*change.Proof, error) {
	if c.noVerify {
		return &change.Proof{Verdict: change.NotLooked}, nil
	}
	e, err := c.endpoint()
	if err != nil {
		return nil, err
	}
	proof := e.Watch(ctx, c.from, c.to, c.wait, tell)
	if id == "" {
		return proof, nil
	}
	if err := c.journal.Append(change.Entry{Change: id, Step: change.Prove, Phase: change.Result, Verdict: proof.Verdict}); err != nil {
		return nil, undecided(err)
	}
	return proof, nil
}

// endpoint is where the change is to be seen.
func (c *carrier) endpoint() (*change.Endpoint, error) {
	t := &c.plan.Listener
	e := &change.Endpoint{Host: t.DNSName, Port: fmt.Sprint(t.Port), ServerName: t.DNSName, LookUp: addressesOf}
	if c.connect != "" {
		to, err := parseEndpoint(c.connect, "")
		if err != nil {
			return nil, fmt.Errorf("--connect: %w", err)
		}
		e.Host, e.Port, e.ServerName = to.Host, to.Port, to.ServerName
	}
	return e, nil
}

// addressesOf finds the addresses of a host, in ten seconds at most.
func addressesOf(ctx context.Context, host string) ([]string, error) {
	if net.ParseIP(host) != nil {
		return []string{host}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return net.DefaultResolver.LookupHost(ctx, host)
}

// ask shows the plan and asks whether to carry it out.
func (c *carrier) ask() error {
	in, ok := c.cmd.InOrStdin().(*os.File)
	if !ok || !isTerminal(in) {
		return errNoTerminal
	}
	w := c.cmd.ErrOrStderr()
	if err := c.plan.Text(w, styleFor(w)); err != nil {
		return err
	}
	fmt.Fprint(w, "\nMake this change? [y/N] ")
	line, err := bufio.NewReader(io.LimitReader(in, 1024)).ReadString('\n')
	if errors.Is(err, io.EOF) && line == "" {
		fmt.Fprintln(w)
		return errNoTerminal
	}
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return nil
	}
	return &exitError{exitBad, errors.New("nothing was changed")}
}

// isTerminal reports whether f is a device for characters, and not the one that has none.
func isTerminal(f *os.File) bool {
	st, err := f.Stat()
	if err != nil || st.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(st, null)
}

// newSteps prints what is being done to a terminal, and nothing elsewhere.
func newSteps(w io.Writer) func(string) {
	if f, ok := w.(*os.File); !ok || !isTerminal(f) {
		return nil
	}
	return func(text string) { fmt.Fprintln(w, text) }
}

// shellWord quotes a word for a POSIX shell where it needs that.
func shellWord(s string) string {
	if strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+=:@%", r))
	}) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// interruptible ends with the first interrupt; a step under way is brought to its end.
func interruptible(cmd *cobra.Command) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(cmd.Context(), os.Interrupt)
}
