package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/parley-tls/parley/render"
	"github.com/parley-tls/parley/suite"
)

func newSuiteCmd() *cobra.Command {
	var filter suiteFilter
	var clients, asJSON bool
	cmd := &cobra.Command{
		Use:   "suite [NAME|CODE|PATTERN]...",
		Short: "Look up cipher suites, groups and signature schemes: names, parts, strength and why",
		Long: `Look up cipher suites, groups and signature schemes, SSLv2's and SSLv3's, signalling and GREASE values included:
their names at IANA, OpenSSL and GnuTLS, their parts and protocols, how strong they are and why, and which
predefined policies accept them. One match gets a page, several a table; no argument lists all.

A name is IANA's, OpenSSL's, GnuTLS's, Java's or that of an older release, in any case. A code is written as 0xC02F,
C02F, c0,2f or 49199; where a suite and a group share it, both are shown. A pattern with * or ? is matched with
the names of IANA, OpenSSL and GnuTLS; any other word is searched for in them.

Strength is insecure (broken), weak (no longer to be used), secure (no known weakness) or recommended. Each reason
names the RFC or the attack that it rests on.`,
		Example: `  parley suite ECDHE-RSA-AES128-GCM-SHA256
  parley suite 0xC02F TLS_RSA_ARCFOUR_128_SHA1
  parley suite 'ECDHE-*' --version TLSv1.2 --strength recommended
  parley suite X25519MLKEM768 --clients --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			entries, listed, err := lookUp(args)
			if err != nil {
				return err
			}
			kept, err := filter.apply(entries)
			if err != nil {
				return err
			}
			doc := render.Suites{Schema: "parley/suite/1", Entries: []render.SuiteEntry{}}
			for i := range kept {
				d := render.DescribeEntry(&kept[i])
				if len(kept) == 1 || asJSON && !listed {
					d.Complete(&kept[i])
				}
				if clients && (len(kept) == 1 || asJSON) {
					d.AddClients(&kept[i])
				}
				doc.Entries = append(doc.Entries, d)
			}
			return output(cmd, asJSON, &doc)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return suiteNames(), cobra.ShellCompDirectiveNoFileComp
		},
	}
	cmd.Flags().StringSliceVar(&filter.strengths, "strength", nil, "only these strengths: insecure, weak, secure, recommended")
	cmd.Flags().StringVar(&filter.version, "version", "", "only what may be used in this protocol version: TLSv1.2 …")
	cmd.Flags().StringSliceVar(&filter.kinds, "kind", nil, "only these kinds: suite, group, scheme, grease")
	cmd.Flags().StringVar(&filter.library, "library", "", "only what this library has a name for: openssl, gnutls")
	cmd.Flags().BoolVar(&clients, "clients", false, "name the known clients that offer it, on a page and in JSON")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	for flag, values := range map[string][]string{
		"strength": strengthNames, "kind": kindNames, "library": libraryNames, "version": versionNames(),
	} {
		_ = cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return values, cobra.ShellCompDirectiveNoFileComp
		})
	}
	return cmd
}

// lookUp finds what the words name, each entry once; all there is for no words. Listed reports that not every
// word is a name or a code.
func lookUp(words []string) (found []suite.Entry, listed bool, err error) {
	if len(words) == 0 {
		return suite.Entries(), true, nil
	}
	type key struct {
		kind suite.Kind
		code suite.Code
	}
	seen := map[key]bool{}
	for _, w := range words {
		l := suite.Find(strings.TrimSpace(w))
		if len(l) == 0 {
			listed = true
			if l, err = suite.Search(strings.TrimSpace(w)); err != nil {
				return nil, true, err
			}
		}
		for _, e := range l {
			if k := (key{e.Kind, e.Code}); !seen[k] {
				seen[k] = true
				found = append(found, e)
			}
		}
	}
	return found, listed, nil
}

// suiteFilter is what the flags leave of a list.
type suiteFilter struct {
	strengths, kinds []string
	version, library string
}

var (
	strengthNames = []string{"insecure", "weak", "secure", "recommended"}
	kindNames     = []string{string(suite.KindSuite), string(suite.KindGroup), string(suite.KindScheme), string(suite.KindGREASE)}
	libraryNames  = []string{"openssl", "gnutls"}
)

func versionNames() []string {
	var l []string
	for _, v := range suite.Versions {
		l = append(l, v.String())
	}
	return l
}

// apply keeps the entries that pass every flag; none is an error that says so.
func (f *suiteFilter) apply(entries []suite.Entry) ([]suite.Entry, error) {
	var version suite.Version
	var err error
	if f.version != "" {
		if version, err = suite.ParseVersion(f.version); err != nil {
			return nil, fmt.Errorf("--version: %w", err)
		}
	}
	for _, given := range []struct {
		flag         string
		values, from []string
	}{{"strength", f.strengths, strengthNames}, {"kind", f.kinds, kindNames}, {"library", strings.Fields(f.library), libraryNames}} {
		for _, v := range given.values {
			if !slices.Contains(given.from, v) {
				return nil, fmt.Errorf("--%s %q: use %s", given.flag, v, strings.Join(given.from, ", "))
			}
		}
	}
	var kept []suite.Entry
	for i := range entries {
		if f.keeps(&entries[i], version) {
			kept = append(kept, entries[i])
		}
	}
	if len(kept) == 0 {
		return nil, fmt.Errorf("none of %d entries passes the flags: leave one out", len(entries))
	}
	return kept, nil
}

func (f *suiteFilter) keeps(e *suite.Entry, version suite.Version) bool {
	if f.kinds != nil && !slices.Contains(f.kinds, string(e.Kind)) {
		return false
	}
	if version != 0 && !slices.Contains(e.Versions(), version) {
		return false
	}
	if f.library == "openssl" && e.OpenSSL == "" || f.library == "gnutls" && e.GnuTLS == "" {
		return false
	}
	if f.strengths == nil {
		return true
	}
	a, ok := e.Assess()
	return ok && slices.Contains(f.strengths, a.Strength.String())
}

// suiteNames are the names to complete.
func suiteNames() []string {
	var l []string
	for _, e := range suite.Entries() {
		l = append(l, e.Name)
		if e.OpenSSL != "" && e.OpenSSL != e.Name {
			l = append(l, e.OpenSSL)
		}
	}
	return l
}
