package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/render"
	"github.com/parley-tls/parley/suite"
)

func newClientCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "client",
		Short: "Look up what real clients of twenty years offer in their ClientHello",
		Long: `Profiles of real clients: the protocols, cipher suites, groups, signature schemes and extensions that each
offers, in its order, what it refuses in the answer, and what makes it offer more. Each says where it comes
from and how sure it is; "captured" ones hold the bytes of a real hello.

The name of a release line stands for the newest profile of it (openssl-1.0.1, curl-8), other names for the
nearest (jdk-17, node-18, python-3.12); show says which. Wherever a command takes a client, a profile's name will
do. See docs/clients.md.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newClientListCmd(), newClientShowCmd())
	return cmd
}

func newClientListCmd() *cobra.Command {
	var families []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list [WORD]",
		Short: "List the clients, all or those with WORD in their name or title",
		Example: `  parley client list --family java
  parley client list winxp
  parley client list --json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, f := range families {
				if !slices.Contains(client.Families(), f) {
					return fmt.Errorf("unknown family %q%s", f, didYouMean(suite.Nearest(f, client.Families(), 3)))
				}
			}
			word := strings.ToLower(strings.Join(args, ""))
			list := render.ClientList{Schema: "parley/client-list/1", Clients: []render.ClientSummary{}}
			for _, p := range client.All() {
				named := strings.Contains(p.Name, word) || strings.Contains(strings.ToLower(p.Title), word)
				if named && (families == nil || slices.Contains(families, p.Family)) {
					list.Clients = append(list.Clients, render.SummarizeClient(p))
				}
			}
			if len(list.Clients) == 0 {
				return fmt.Errorf("no client with %q in its name: see parley client list", word)
			}
			return output(cmd, asJSON, &list)
		},
	}
	cmd.Flags().StringSliceVar(&families, "family", nil, "only this family: java, openssl, chrome, …")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	_ = cmd.RegisterFlagCompletionFunc("family", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return client.Families(), cobra.ShellCompDirectiveNoFileComp
	})
	return cmd
}

// didYouMean names candidates, if there are any.
func didYouMean(near []string) string {
	if len(near) == 0 {
		return ""
	}
	return ": did you mean " + strings.Join(near, ", ") + "?"
}

func newClientShowCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show NAME...",
		Short: "Show what a client offers and refuses, how sure that is, and what makes it offer more",
		Example: `  parley client show java-7u25
  parley client show chrome-140 firefox-128 --json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			doc := render.Clients{Schema: "parley/client/1"}
			for _, name := range args {
				p, why, err := client.Resolve(name)
				if err != nil {
					return err
				}
				d := render.DetailClient(p)
				if why != "" {
					d.Asked, d.AskedWhy = name, why
				}
				doc.Clients = append(doc.Clients, d)
			}
			return output(cmd, asJSON, &doc)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return client.Names(), cobra.ShellCompDirectiveNoFileComp
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}
