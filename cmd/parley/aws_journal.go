package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/parley-tls/parley/aws/change"
	"github.com/parley-tls/parley/aws/elb"
	"github.com/parley-tls/parley/render"
)

func newAWSJournalCmd() *cobra.Command {
	var path string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "journal [LISTENER]",
		Short: "List the changes of security policies that were made from here, and how far each came",
		Long: `List the changes in the journal, oldest first: those of a listener or all. A change that is interrupted was cut off: "parley aws undo"
takes it back, and the same "parley aws set-policy" finishes it. No account is asked.`,
		Example: `  parley aws journal
  parley aws journal shop-alb:443 --json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			journal, err := change.OpenJournal(path)
			if err != nil {
				return err
			}
			entries, warnings, err := journal.Read()
			if err != nil {
				return err
			}
			keep := func(*change.Target) bool { return true }
			if len(args) > 0 {
				n, err := elb.ParseName(args[0])
				if err != nil {
					return err
				}
				keep = func(t *change.Target) bool { return t.Named(n) }
			}
			for _, x := range warnings {
				fmt.Fprintln(cmd.ErrOrStderr(), "parley: warning:", x)
			}
			return output(cmd, asJSON, render.NewAWSJournal(journal.Path, change.History(entries), warnings, keep))
		},
	}
	cmd.Flags().StringVar(&path, "journal", "", "the journal's file (default: parley/aws-journal.jsonl in $XDG_STATE_HOME or ~/.local/state)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}
