package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/parley-tls/parley/accesslog"
	"github.com/parley-tls/parley/accesslog/bucket"
	"github.com/parley-tls/parley/render"
)

func newLogsCmd() *cobra.Command {
	var format, logFormat, evidenceFile string
	var top int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "logs FILE...",
		Short: "Read the logs of load balancers: who negotiates what, how often, since when no more, and what fails",
		Long: `Read logs of AWS load balancers, nginx and HAProxy: which clients negotiate which version, cipher suite and
group, how many requests or connections, from how many addresses, when last, and which handshakes fail, by load balancer.
At the end stands what such a log cannot tell, and what would.

FILE is a log, packed by gzip or not, a folder of logs, s3://bucket/prefix, or - for standard input. S3 is read with the
credentials and the region that AWS's own tools use; AWS_ENDPOINT_URL names another endpoint.

The format of each line is found out: access logs (alb) and connection logs (alb-connections) of Application Load Balancers,
TLS logs of Network Load Balancers (nlb), access logs of Classic Load Balancers (classic), HAProxy's option httpslog and its
lines of failed handshakes (haproxy), nginx's error log (nginx-error), and what users log themselves with the variables of
nginx and HAProxy as keys: JSON (json) and name=value (key-value). Any other log_format or log-format of theirs is read by
--log-format. docs/logs.md has the lines to configure.

Exit codes: 0 read, 2 wrong usage or input, or nothing that could be read, 3 S3 could not be asked or broke off.`,
		Example: `  parley logs access.log.gz
  parley logs s3://my-logs/AWSLogs/111122223333/elasticloadbalancing/eu-west-1/2026/11/20/
  parley logs /var/log/nginx/access.log --log-format '$remote_addr [$time_local] "$request" $ssl_protocol $ssl_cipher "$http_user_agent"'
  zcat *.gz | parley logs - --json
  parley logs ./logs --evidence clients.jsonl`,
		Args: atLeastOne("name a log, a folder of logs, s3://bucket/prefix, or - for standard input"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := logOptions(format, logFormat)
			if err != nil {
				return err
			}
			if top < 1 {
				return fmt.Errorf("--top %d: expected a number of clients from 1", top)
			}
			if err := writable(evidenceFile); err != nil {
				return err
			}
			sources, err := logSources(cmd.Context(), args, cmd.InOrStdin())
			if err != nil {
				return err
			}
			defer debug.SetGCPercent(debug.SetGCPercent(100)) // logs are long: a third of the memory for a few hundredths of the time
			report := accesslog.ReadAll(sources, o)
			if err := nothingRead(report); err != nil {
				return otherEvidence(args, err)
			}
			if evidenceFile != "" {
				if err := writeEvidence(evidenceFile, report.Clients); err != nil {
					return err
				}
			}
			if err := output(cmd, asJSON, render.DescribeLogs(report, top)); err != nil {
				return err
			}
			return notFetched(report)
		},
	}
	cmd.Flags().StringVar(&format, "format", "", "read every line as this format alone: "+strings.Join(formatNames(), ", "))
	cmd.Flags().StringVar(&logFormat, "log-format", "", "the format of the lines as nginx's log_format or HAProxy's log-format has it")
	cmd.Flags().StringVar(&evidenceFile, "evidence", "", "write the clients to this file too, as evidence for other commands")
	cmd.Flags().IntVar(&top, "top", 20, "clients to show of each load balancer")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	_ = cmd.RegisterFlagCompletionFunc("format", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return formatNames(), cobra.ShellCompDirectiveNoFileComp
	})
	return cmd
}

// atLeastOne demands an argument.
func atLeastOne(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return errors.New(what)
		}
		return nil
	}
}

// otherEvidence says of what is no log, err, what reads it.
func otherEvidence(args []string, err error) error {
	if len(args) != 1 || args[0] == "-" {
		return err
	}
	f, openErr := os.Open(args[0])
	if openErr != nil {
		return err
	}
	defer f.Close()
	switch kindOfEvidence(bufio.NewReader(f)) {
	case evidenceCapture:
		return fmt.Errorf("%s is a packet capture: parley watch reads it", args[0])
	case evidenceFile:
		return fmt.Errorf("%s is what --evidence writes: parley impact and parley policy recommend read it", args[0])
	}
	return err
}

// formatNames are the values of --format.
func formatNames() []string {
	var l []string
	for _, d := range accesslog.Formats() {
		if d.Format != accesslog.LogFormat { // it takes a --log-format
			l = append(l, string(d.Format))
		}
	}
	return l
}

func logOptions(format, logFormat string) (o accesslog.Options, err error) {
	if format != "" && logFormat != "" {
		return o, errors.New("--format and --log-format: use one of them")
	}
	if o.Format = accesslog.Format(format); format != "" && (accesslog.Describe(o.Format) == nil || o.Format == accesslog.LogFormat) {
		return o, fmt.Errorf("--format %q: use %s", format, strings.Join(formatNames(), ", "))
	}
	if logFormat != "" {
		if o.Template, err = accesslog.ParseTemplate(logFormat); err != nil {
			return o, fmt.Errorf("--log-format: %w", err)
		}
	}
	return o, nil
}

// logSources finds the logs that the arguments name.
func logSources(ctx context.Context, args []string, stdin io.Reader) ([]accesslog.Source, error) {
	if ctx == nil {
		ctx = context.Background()
	}
	var sources []accesslog.Source
	for _, arg := range args {
		switch {
		case arg == "-":
			sources = append(sources, accesslog.Source{Name: "standard input", Once: true, Open: func() (io.ReadCloser, error) { return io.NopCloser(stdin), nil }})
		case bucket.IsURL(arg):
			l, err := bucketSources(ctx, arg)
			if err != nil {
				return nil, err
			}
			sources = append(sources, l...)
		default:
			l, err := fileSources(arg)
			if err != nil {
				return nil, err
			}
			sources = append(sources, l...)
		}
	}
	return sources, nil
}

// fileSources are a file, or the files in a folder and its folders.
func fileSources(path string) ([]accesslog.Source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	open := func(path string) accesslog.Source {
		return accesslog.Source{Name: path, Once: !info.Mode().IsRegular() && !info.IsDir(), Open: func() (io.ReadCloser, error) { return os.Open(path) }}
	}
	if !info.IsDir() {
		return []accesslog.Source{open(path)}, nil
	}
	var sources []accesslog.Source
	err = filepath.WalkDir(path, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.Type().IsRegular() && !isTestFile(path) {
			sources = append(sources, open(path))
		}
		return nil
	})
	if err == nil && sources == nil {
		err = fmt.Errorf("%s: no file in this folder", path)
	}
	return sources, err
}

// bucketSources are the objects with a prefix.
func bucketSources(ctx context.Context, url string) ([]accesslog.Source, error) {
	where, err := bucket.ParseURL(url)
	if err != nil {
		return nil, err
	}
	b, err := bucket.Open(ctx, where)
	if err != nil {
		return nil, undecided(err)
	}
	keys, err := b.Keys(ctx)
	if err != nil {
		return nil, undecided(err)
	}
	var sources []accesslog.Source
	for _, key := range keys {
		if !isTestFile(key) {
			sources = append(sources, accesslog.Source{Name: "s3://" + where.Bucket + "/" + key, Remote: true, Open: func() (io.ReadCloser, error) { return b.Read(ctx, key) }})
		}
	}
	if sources == nil {
		return nil, fmt.Errorf("%s: no log with this prefix", url)
	}
	return sources, nil
}

// isTestFile reports whether a file is the one that Elastic Load Balancing writes when logs are switched on.
func isTestFile(name string) bool {
	return strings.HasSuffix(name, "ELBAccessLogTestFile") || strings.HasSuffix(name, "ELBConnectionLogTestFile")
}

// nothingRead is the error where no line of any file made sense.
func nothingRead(r *accesslog.Report) error {
	if len(r.Formats) > 0 {
		return nil
	}
	if err := notFetched(r); err != nil {
		return err
	}
	switch {
	case r.Lines == 0 && len(r.Warnings) == 0 && r.Files == 1:
		return errors.New("the log is empty: there is no line in it")
	case r.Lines == 0 && len(r.Warnings) == 0:
		return fmt.Errorf("the %d logs are empty: there is no line in them", r.Files)
	case len(r.Warnings) > 1:
		return fmt.Errorf("%s (and so on: nothing in %d files could be read)", r.Warnings[0], r.Files)
	}
	return errors.New(r.Warnings[0])
}

// notFetched is the error where a file could not be opened, or S3 broke off. What S3 denies may be there: that is no answer.
// What this machine denies is wrong input.
func notFetched(r *accesslog.Report) error {
	var remote *bucket.Error
	for _, err := range r.Broken {
		if errors.As(err, &remote) {
			return undecided(err)
		}
	}
	if len(r.Failed) == 0 {
		return nil
	}
	err := r.Failed[0]
	if n := len(r.Failed); n > 1 {
		err = fmt.Errorf("%w (and %d more)", err, n-1)
	}
	if errors.As(err, &remote) {
		return undecided(err)
	}
	return err
}
