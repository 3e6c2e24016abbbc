package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/render"
	"github.com/parley-tls/parley/symptom"
	"github.com/spf13/cobra"
)

// explainFlags are the options of `parley explain`.
type explainFlags struct {
	target, client, serverName, startTLS, openssl, caFile string
	timeout                                               time.Duration
	json                                                  bool
}

func newExplainCmd() *cobra.Command {
	var f explainFlags
	cmd := &cobra.Command{
		Use:   "explain TEXT|FILE|-",
		Short: "Say what an error text means: the causes that it speaks for, and what would decide between them",
		Long: `Rank the causes that an error text of a client or a server speaks for, in plain words, with what in the text decided,
where the connection ended, what would tell the causes apart, and the command to run next. The text is an argument, a file
such as a log, or standard input (-); up to 4 MiB are read. The lines of a log are put together by cause.

With --target the endpoint is probed, as parley why does, and its diagnosis replaces the ranking where it decides; --client
names the client that failed, so that its own hello is tried.

Exit codes: 0 a cause is named, 2 wrong usage or input, 3 the text does not decide at all.`,
		Example: `  parley explain 'curl: (35) error:0A00042E:SSL routines::tlsv1 alert protocol version'
  parley explain 14094410
  parley explain /var/log/nginx/error.log
  java -jar app.jar 2>&1 | parley explain - --target lb.example.com:443 --client java-7u25`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("name an error text, a file with one, or - for standard input")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return explain(cmd, args, &f) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.target, "target", "", "probe this endpoint (HOST[:PORT]) to settle the ranking")
	fl.StringVarP(&f.client, "client", "c", "", "with --target, the client that failed: a profile, ciphers:STRING, or a file with a ClientHello")
	fl.StringVar(&f.serverName, "servername", "", "with --target, the name to ask for (SNI), if it is not the host's")
	fl.StringVar(&f.startTLS, "starttls", "", "with --target, speak this protocol's plaintext first: smtp, imap, postgres …")
	fl.StringVar(&f.openssl, "openssl", "3.0", "with --client ciphers:STRING, the release of OpenSSL: 1.0.2, 1.1.1, 3.0, 3.5")
	fl.StringVar(&f.caFile, "ca-file", "", "with --target, PEM file with the roots that the client trusts (default: the system's)")
	fl.DurationVar(&f.timeout, "timeout", probe.DefaultTimeout, "with --target, time for each connection")
	fl.BoolVar(&f.json, "json", false, "print one JSON document (docs/schema/explain.schema.json)")
	return cmd
}

func explain(cmd *cobra.Command, args []string, f *explainFlags) error {
	if f.target == "" {
		for _, name := range []string{"client", "servername", "starttls", "openssl", "ca-file", "timeout"} {
			if cmd.Flags().Changed(name) {
				return fmt.Errorf("--%s goes with --target: name the endpoint that is to be probed", name)
			}
		}
	}
	text, err := explainText(cmd.InOrStdin(), args)
	if err != nil {
		return err
	}
	e := symptom.Explain(text)
	if f.target != "" {
		if err := settle(cmd, e, f); err != nil {
			return err
		}
	}
	w := cmd.OutOrStdout()
	if f.json {
		err = render.JSON(w, e)
	} else {
		err = render.Explain(w, e, styleFor(w))
	}
	if err == nil && e.Outcome == symptom.Unknown {
		return &exitError{code: exitUndecided}
	}
	return err
}

// explainText is what the arguments name: the text itself, in one argument or several words, a file, or standard input.
func explainText(stdin io.Reader, args []string) (string, error) {
	text, from := strings.Join(args, " "), "the text"
	if len(args) == 1 {
		var r io.Reader
		if args[0] == "-" {
			r, from = stdin, "standard input"
		} else if st, err := os.Stat(args[0]); err == nil {
			if st.IsDir() {
				return "", fmt.Errorf("%s is a directory: name a file, or give the text itself", args[0])
			}
			file, err := os.Open(args[0])
			if err != nil {
				return "", err
			}
			defer file.Close()
			r, from = file, args[0]
		}
		if r != nil {
			raw, err := io.ReadAll(io.LimitReader(r, symptom.MaxText+1))
			if err != nil {
				return "", fmt.Errorf("%s: %w", from, err)
			}
			if bytes.IndexByte(raw[:min(len(raw), 1024)], 0) >= 0 {
				return "", fmt.Errorf("%s is no text; a capture goes to parley why HOST:PORT --client FILE", from)
			}
			text = string(raw)
		}
	}
	if strings.TrimSpace(text) == "" {
		return "", fmt.Errorf("%s is empty: give the error text", from)
	}
	return text, nil
}
