package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/parley-tls/parley/cipherlist"
	"github.com/parley-tls/parley/render"
	"github.com/parley-tls/parley/suite"
)

// newCiphersCmd does what `openssl ciphers` does, so it reads its options as OpenSSL does: one dash
// before long names, and the first word without a dash is the cipher string.
func newCiphersCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ciphers [options] [cipher-string]",
		Short: "Expand an OpenSSL cipher string, as `openssl ciphers` of any release does",
		Long: `Print the cipher suites that an OpenSSL cipher string selects, in order: byte for byte what
"openssl ciphers" prints, on standard output and standard error, with its exit codes (1 for any
failure), for four releases.

Options of openssl, with one dash or two:
  -v -V -stdname          one suite a line; with its code; with its standard name
  -s                      only what a client really offers: security level, version, PSK and SRP
  -tls1 -tls1_1 -tls1_2 -tls1_3
                          the one protocol version that -s goes by
  -psk -srp               with -s, keep suites that need PSK or SRP
  -ciphersuites LIST      the TLS 1.3 suites, by standard name
  -convert NAME           OpenSSL's name for a standard name
  -provider NAME          default, base or legacy (3.0 and later)

Options of parley:
  --openssl RELEASE       1.0.2, 1.1.1, 3.0 (default) or 3.5
  --json                  one JSON document, which also names the words that were passed over
  --help                  this text (-help and -h are openssl's)

Each release stands for one build:
` + buildList(),
		Example: `  parley ciphers -v 'ECDHE+AESGCM:!aNULL'
  parley ciphers -s -tls1_2 'DEFAULT:@SECLEVEL=1'
  parley ciphers --openssl 1.0.2 'HIGH:!DSS'
  parley ciphers --json 'AES128-SHA:RC4-SHA'`,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			own, rest, err := ownOptions(args)
			switch {
			case err != nil:
				return err
			case own.help:
				return cmd.Help()
			case own.json:
				return ciphersJSON(cmd.OutOrStdout(), cmd.ErrOrStderr(), own.release, rest)
			}
			out, err := cipherlist.Run(own.release, rest)
			if err != nil {
				return err
			}
			return write(cmd, out)
		},
	}
	cmd.DisableFlagsInUseLine = true
	cmd.Flags().Bool("help", false, "")
	_ = cmd.Flags().MarkHidden("help") // it exists; Long describes it
	return cmd
}

func buildList() string {
	var b strings.Builder
	for _, r := range cipherlist.Releases {
		fmt.Fprintf(&b, "  %-6s %s\n", r, r.Build())
	}
	return b.String()
}

func write(cmd *cobra.Command, out cipherlist.Output) error {
	if _, err := io.WriteString(cmd.OutOrStdout(), out.Stdout); err != nil {
		return err
	}
	if _, err := io.WriteString(cmd.ErrOrStderr(), out.Stderr); err != nil {
		return err
	}
	if out.Exit != 0 {
		return &exitError{code: out.Exit}
	}
	return nil
}

// cipherOptions are the options that openssl doesn't have.
type cipherOptions struct {
	release    cipherlist.Release
	json, help bool
}

// ownOptions takes our options out of args, wherever they stand.
func ownOptions(args []string) (own cipherOptions, rest []string, err error) {
	own.release = cipherlist.Default
	for i := 0; i < len(args); i++ {
		name, value, hasValue := strings.Cut(args[i], "=")
		switch {
		case name == "--":
			return own, append(rest, args[i:]...), nil
		case name == "--json" && !hasValue:
			own.json = true
		case name == "--help" && !hasValue:
			own.help = true
		case name == "--openssl":
			if !hasValue {
				if i++; i == len(args) {
					return own, nil, errors.New("--openssl needs a release: 1.0.2, 1.1.1, 3.0 or 3.5")
				}
				value = args[i]
			}
			if own.release, err = cipherlist.ParseRelease(value); err != nil {
				return own, nil, err
			}
		default:
			rest = append(rest, args[i])
			if takesNext(args[i]) && i+1 < len(args) {
				i++
				rest = append(rest, args[i])
			}
		}
	}
	return own, rest, nil
}

// takesNext reports whether the argument after arg is its value.
func takesNext(arg string) bool {
	switch strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-") {
	case "convert", "ciphersuites", "provider", "provider-path", "provparam", "propquery":
		return strings.HasPrefix(arg, "-")
	}
	return false
}

// ciphersDoc is the document of `parley ciphers --json` (docs/schema/ciphers.schema.json).
type ciphersDoc struct {
	Schema        string             `json:"schema"`
	OpenSSL       cipherlist.Release `json:"openssl"`
	Build         string             `json:"build"`
	CipherString  string             `json:"cipher_string"`
	Supported     bool               `json:"supported_only"`
	SecurityLevel int                `json:"security_level"`
	SuiteB        bool               `json:"suite_b,omitempty"`
	Suites        []cipherDoc        `json:"suites"`
	Ignored       []ignoredDoc       `json:"ignored,omitempty"`
	Converted     *convertedDoc      `json:"converted,omitempty"`
	Error         *ciphersErrorDoc   `json:"error,omitempty"`
}

type cipherDoc struct {
	Code           string         `json:"code"`
	IANA           string         `json:"iana,omitempty"`
	OpenSSL        string         `json:"openssl"`
	Protocol       *suite.Version `json:"protocol,omitempty"`
	KeyExchange    string         `json:"key_exchange"`
	Authentication string         `json:"authentication"`
	Encryption     string         `json:"encryption"`
	MAC            string         `json:"mac"`
	StrengthBits   int            `json:"strength_bits"`
	Classes        []string       `json:"classes,omitempty"`
}

type ignoredDoc struct {
	Word    string                `json:"word"`
	Reason  cipherlist.WordReason `json:"reason"`
	Nearest []string              `json:"nearest,omitempty"`
}

type convertedDoc struct {
	IANA    string   `json:"iana"`
	OpenSSL string   `json:"openssl,omitempty"`
	Nearest []string `json:"nearest,omitempty"`
}

type ciphersErrorDoc struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
}

// ciphersJSON writes one document. A string that selects nothing is an answer, exit code 1; one that
// can't be read is bad input, 2.
func ciphersJSON(stdout, stderr io.Writer, rel cipherlist.Release, args []string) error {
	req, out, err := cipherlist.ParseArgs(rel, args)
	if err != nil {
		return err
	}
	if req == nil {
		if _, err := io.WriteString(stderr, out.Stderr); err != nil || out.Exit == 0 {
			return err
		}
		return &exitError{code: exitUsage}
	}
	doc := ciphersDoc{Schema: "parley/ciphers/1", OpenSSL: rel, Build: rel.Build(), CipherString: req.Spec,
		Supported: req.Options.Supported, Suites: []cipherDoc{}}
	code := exitGood
	if req.Convert != nil {
		doc.Converted = &convertedDoc{IANA: *req.Convert, OpenSSL: cipherlist.StandardToOpenSSL(rel, *req.Convert)}
		if doc.Converted.OpenSSL == "" {
			doc.Converted.Nearest = suite.Nearest(*req.Convert, cipherlist.StandardNames(rel), 3)
			code = exitBad
		}
	} else {
		code = doc.expand(req)
	}
	if err := render.JSON(stdout, doc); err != nil || code == exitGood {
		return err
	}
	return &exitError{code: code}
}

// expand fills in what req asks for and returns the exit code.
func (doc *ciphersDoc) expand(req *cipherlist.Request) int {
	l, err := req.Expand(doc.OpenSSL)
	doc.SecurityLevel, doc.SuiteB = l.SecurityLevel, l.SuiteB
	code := exitGood
	if err != nil {
		doc.Error = &ciphersErrorDoc{"invalid_command", err.Error()}
		code = exitUsage
	}
	ignored := l.Ignored
	if noMatch := (*cipherlist.NoMatchError)(nil); errors.As(err, &noMatch) {
		doc.Error.Kind, code = "no_cipher_match", exitBad
		ignored = noMatch.Ignored
	}
	if errors.Is(err, cipherlist.ErrNoCiphers) {
		doc.Error.Kind = "no_ciphers"
	}
	names := cipherlist.Names(doc.OpenSSL)
	for _, w := range ignored {
		d := ignoredDoc{Word: w.Text, Reason: w.Reason}
		if w.Reason == cipherlist.WordUnknown {
			d.Nearest = suite.Nearest(w.Text, names, 3)
		}
		doc.Ignored = append(doc.Ignored, d)
	}
	for _, s := range l.Suites {
		d := cipherDoc{Code: s.Code.String(), IANA: s.Standard, OpenSSL: s.Name, KeyExchange: s.KeyExchange,
			Authentication: s.Authentication, Encryption: s.Encryption, MAC: s.MAC, StrengthBits: s.Bits, Classes: s.Class}
		if s.Min != 0 {
			d.Protocol = &s.Min
		}
		doc.Suites = append(doc.Suites, d)
	}
	return code
}
