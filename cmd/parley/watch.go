package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/parley-tls/parley/capture"
	"github.com/parley-tls/parley/evidence"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/render"
	"github.com/parley-tls/parley/watch"
	"github.com/spf13/cobra"
)

// watchFlags are the options of `parley watch`.
type watchFlags struct {
	device, evidence, saveClients string
	failedOnly, json, jsonLines   bool
	duration                      time.Duration
}

func newWatchCmd() *cobra.Command {
	var f watchFlags
	cmd := &cobra.Command{
		Use:   "watch FILE|-i INTERFACE",
		Short: "Find every TLS negotiation in a packet capture or on an interface, with its outcome and the cause of the failed ones",
		Long: `Find every TLS negotiation in a packet capture (pcap or pcapng, also packed by gzip; - for standard input) or on an interface: what the client
offered, what the server answered, how it ended, and the likely causes of those that failed. They are grouped by the
client's fingerprint (JA4) and the server; the nearest known client is named. Nothing is decrypted.

An alert often leaves several causes open: then all are named with their confidence, and the command that would decide.

Exit codes: 0 none failed, 1 some failed, 2 wrong usage or input, 3 the interface could not be captured.`,
		Example: `  parley watch capture.pcap
  parley watch capture.pcapng --failed-only
  parley watch -i eth0
  tcpdump -w - -s 0 port 443 | parley watch -`,
		Args: func(cmd *cobra.Command, args []string) error {
			if (f.device == "") == (len(args) == 0) || len(args) > 1 {
				return errors.New("name one capture file, or an interface with -i")
			}
			switch {
			case f.json && f.jsonLines:
				return errors.New("--json and --json-lines: use one of them")
			case f.device == "" && cmd.Flags().Changed("duration"):
				return errors.New("--duration is for an interface (-i)")
			case f.duration < 0:
				return fmt.Errorf("--duration %s: use a positive duration such as 60s", f.duration)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.device != "" {
				return watchLive(cmd, &f)
			}
			return watchFile(cmd, args[0], &f)
		},
	}
	fl := cmd.Flags()
	fl.StringVarP(&f.device, "interface", "i", "", "watch this interface until it is interrupted; needs CAP_NET_RAW")
	fl.DurationVar(&f.duration, "duration", 0, "with -i, how long; 0 until it is interrupted")
	fl.BoolVar(&f.failedOnly, "failed-only", false, "show only those that fail")
	fl.StringVar(&f.evidence, "evidence", "", "write what was seen of each kind of client to this file (docs/schema/evidence.schema.json)")
	fl.StringVar(&f.saveClients, "save-clients", "", "write the hello of each kind of client that fails into this folder, for parley why --client")
	fl.BoolVar(&f.json, "json", false, "print one JSON document (docs/schema/watch.schema.json)")
	fl.BoolVar(&f.jsonLines, "json-lines", false, "print each negotiation when it is decided, a JSON document a line (docs/schema/negotiation.schema.json)")
	return cmd
}

// watching is one run of the command.
type watching struct {
	cmd       *cobra.Command
	f         *watchFlags
	collector *watch.Collector
	source    string
	lines     *json.Encoder // nil: no line for each
	text      io.Writer     // nil: no text for each
	failed    error         // of writing
}

func newWatching(cmd *cobra.Command, source string, f *watchFlags) (*watching, error) {
	w := &watching{cmd: cmd, f: f, collector: watch.NewCollector(), source: source}
	if f.evidence != "" {
		if err := writable(f.evidence); err != nil {
			return nil, err
		}
		w.collector.Tally = &evidence.Tally{}
	}
	if f.jsonLines {
		w.lines = json.NewEncoder(cmd.OutOrStdout())
		w.lines.SetEscapeHTML(false)
	}
	if f.saveClients != "" {
		if err := os.MkdirAll(f.saveClients, 0o755); err != nil {
			return nil, fmt.Errorf("--save-clients: %w", err)
		}
	}
	w.collector.Client = w.client
	return w, nil
}

// client is what `parley why --client` takes for the hello of a connection.
func (w *watching) client(c *capture.Connection, ja4 string) string {
	switch {
	case w.f.saveClients != "" && ja4 != "":
		return filepath.Join(w.f.saveClients, ja4+".hex")
	case w.f.device == "" && w.source != "-" && c.Packet > 0:
		return w.source + "#" + strconv.Itoa(c.Packet)
	}
	return ""
}

// add takes in one negotiation, and prints it where each is printed.
func (w *watching) add(c *capture.Connection) {
	w.collector.Add(c)
	if w.lines == nil && w.text == nil || w.failed != nil {
		return
	}
	e := w.collector.Event(c)
	switch {
	case w.f.failedOnly && e.Result != evidence.Failed:
	case w.lines != nil:
		w.failed = w.lines.Encode(e)
	default:
		w.failed = render.WatchEvent(w.text, e, styleFor(w.text))
	}
}

func watchFile(cmd *cobra.Command, path string, f *watchFlags) error {
	// A capture is read in one go: memory is worth more than the time of the collector.
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	w, err := newWatching(cmd, path, f)
	if err != nil {
		return err
	}
	in, name := cmd.InOrStdin(), "standard input"
	if path == "-" {
		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt)
		defer stop()
		in = untilInterrupted(ctx, in)
	} else {
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		in, name = file, path
	}
	st, err := capture.Follow(name, in, w.add)
	if err != nil {
		return err
	}
	for _, line := range st.Warnings {
		fmt.Fprintf(cmd.ErrOrStderr(), "parley: %s: %s\n", name, line)
	}
	if more := st.Damaged - len(st.Warnings); more > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "parley: %s: %d more damaged places\n", name, more)
	}
	return w.finish(w.collector.Report(name, st))
}

// lastPackets is how long after an interrupt what captures may take to write its last packets.
const lastPackets = time.Second

// untilInterrupted gives what r gives, and ends soon after ctx does: in a pipe behind tcpdump an interrupt goes to both, and
// the report is still wanted.
func untilInterrupted(ctx context.Context, r io.Reader) io.Reader {
	out, in := io.Pipe()
	go func() {
		_, err := io.Copy(in, r)
		in.CloseWithError(err) // nil: the end
	}()
	context.AfterFunc(ctx, func() { time.AfterFunc(lastPackets, func() { in.Close() }) })
	return out
}

func watchLive(cmd *cobra.Command, f *watchFlags) error {
	w, err := newWatching(cmd, f.device, f)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if f.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, f.duration)
		defer cancel()
	}
	if !f.json && !f.jsonLines {
		w.text = cmd.OutOrStdout()
	}
	begun, dropped := false, 0
	st, err := capture.Live(ctx, f.device, w.add, func(st *capture.Stats) {
		if !begun {
			fmt.Fprintf(cmd.ErrOrStderr(), "parley: watching %s; interrupt to end\n", f.device)
			begun = true
		}
		if st.Dropped > dropped {
			fmt.Fprintf(cmd.ErrOrStderr(), "parley: %s: %d packets dropped by the kernel so far, %d read\n", f.device, st.Dropped, st.Packets)
			dropped = st.Dropped
		}
	})
	if errors.Is(err, capture.ErrPermission) {
		return undecided(err)
	}
	if err != nil {
		return err
	}
	r := w.collector.Report(f.device, st)
	r.Dropped = &st.Dropped
	if w.text != nil {
		fmt.Fprintln(w.text)
	}
	return w.finish(r)
}

// finish writes the files and the report, and turns it into the exit code.
func (w *watching) finish(r *watch.Report) error {
	if w.failed != nil {
		return w.failed
	}
	if err := w.save(r); err != nil {
		return err
	}
	out := w.cmd.OutOrStdout()
	var err error
	switch {
	case w.f.jsonLines:
	case w.f.json:
		if w.f.failedOnly {
			r.Groups = failing(r.Groups)
		}
		err = render.JSON(out, r)
	default:
		err = render.Watch(out, r, w.f.failedOnly, styleFor(out))
	}
	if err == nil && r.Failed > 0 {
		return answeredBad()
	}
	return err
}

func failing(l []watch.Group) []watch.Group {
	out := []watch.Group{}
	for _, g := range l {
		if g.Failed > 0 {
			out = append(out, g)
		}
	}
	return out
}

// save writes the evidence, and the hellos that failed.
func (w *watching) save(r *watch.Report) error {
	if w.f.evidence != "" {
		if err := writeEvidence(w.f.evidence, w.collector.Tally.Clients()); err != nil {
			return err
		}
	}
	if w.f.saveClients == "" {
		return nil
	}
	saved := make(map[string]bool)
	for _, g := range r.Groups { // those that fail most come first
		if g.Failed == 0 || g.Hello == nil || saved[g.JA4] {
			continue
		}
		saved[g.JA4] = true
		text := fmt.Sprintf("# ClientHello, JA4 %s, seen %s\n%s\n", g.JA4, g.First.UTC().Format(time.RFC3339), hexLines(g.Hello))
		if err := os.WriteFile(filepath.Join(w.f.saveClients, g.JA4+".hex"), []byte(text), 0o644); err != nil {
			return fmt.Errorf("--save-clients: %w", err)
		}
	}
	return nil
}

// hexLines writes bytes as lines of hexadecimal digits.
func hexLines(b []byte) string {
	var s strings.Builder
	for len(b) > 0 {
		n := min(32, len(b))
		s.WriteString(hex.EncodeToString(b[:n]) + "\n")
		b = b[n:]
	}
	return strings.TrimSuffix(s.String(), "\n")
}

// helloInPacket takes FILE#N apart: the hello in a capture that is whole with packet N.
func helloInPacket(name string) (h *hello.ClientHello, ok bool, err error) {
	i := strings.LastIndexByte(name, '#')
	if i < 1 {
		return nil, false, nil
	}
	n, convErr := strconv.Atoi(name[i+1:])
	if _, statErr := os.Stat(name[:i]); convErr != nil || n < 1 || statErr != nil {
		return nil, false, nil
	}
	found, err := capture.HelloAt(name[:i], n)
	if err != nil {
		return nil, true, err
	}
	return found.Hello, true, nil
}
