// Command parley says why a client and a load balancer cannot agree on TLS, and what to change.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Exit codes of every command.
const (
	exitGood       = 0 // answered, and the answer is good
	exitBad        = 1 // answered, and the answer is bad: the handshake fails, a finding
	exitUsage      = 2 // wrong usage or input
	exitUndecided  = 3 // could not find out: unreachable, timeout, permission
	defaultTimeout = 5 // seconds a connection
)

// exitError carries an exit code. A nil err means that the report already said everything.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// answeredBad ends the command with exit code 1 and prints nothing more.
func answeredBad() error { return &exitError{code: exitBad} }

// undecided ends the command with exit code 3 and err's line.
func undecided(err error) error { return &exitError{exitUndecided, err} }

func main() {
	// A command is short, and a collection in the midst of it costs it a third of its time.
	debug.SetGCPercent(400)
	os.Exit(run())
}

// run executes the command line and returns the exit code: one clear line for an error, no usage dump.
func run() int {
	err := newRoot().Execute()
	var exit *exitError
	switch {
	case err == nil:
		return exitGood
	case errors.As(err, &exit):
		if exit.err != nil {
			fmt.Fprintln(os.Stderr, "parley:", exit.err)
		}
		return exit.code
	default:
		fmt.Fprintln(os.Stderr, "parley:", err)
		return exitUsage
	}
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "parley",
		Short:         "Find out why a client can't negotiate TLS with a load balancer, and the least change that fixes it",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newWhyCmd())
	root.AddCommand(newExplainCmd())
	root.AddCommand(newConnectCmd())
	root.AddCommand(newWatchCmd())
	root.AddCommand(newTapCmd())
	root.AddCommand(newScanCmd())
	root.AddCommand(newCiphersCmd())
	root.AddCommand(newPolicyCmd())
	root.AddCommand(newClientCmd())
	root.AddCommand(newSuiteCmd())
	root.AddCommand(newLogsCmd())
	root.AddCommand(newImpactCmd())
	root.AddCommand(newAWSCmd())
	return root
}
