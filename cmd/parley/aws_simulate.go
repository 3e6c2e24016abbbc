package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-tls/parley/render"
	"github.com/parley-tls/parley/simulate"
)

// awsSimulateFlags are the options of `parley aws simulate`.
type awsSimulateFlags struct {
	listen, state string
	seeds         []string
	demo, verbose bool
	faults        simulate.Faults
	asJSON        bool
}

func newAWSSimulateCmd() *cobra.Command {
	var f awsSimulateFlags
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Serve AWS accounts that do not exist, to try Parley and other tools on",
		Long: `Serve AWS accounts that do not exist, to try Parley and other tools on: load balancers of all kinds with their policies, and as
much of STS, EC2, ACM, IAM, CloudWatch and CloudTrail as Parley asks for. The AWS CLI and SDKs work with it once
AWS_ENDPOINT_URL names it. Requests are checked as AWS checks them, signatures too, and refused as AWS refuses them.

Nothing of it reaches AWS or needs an account, and its keys open nothing else. docs/aws-simulate.md says what there is.

Exit codes: 0 interrupted, 2 wrong usage or input.`,
		Example: `  parley aws simulate --demo
  parley aws simulate --seed account.json --state now.json
  parley aws simulate --demo --deny 'elasticloadbalancing:ModifyListener' --throttle 2 --throttle-action 'elasticloadbalancing:Describe*'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.faults.Throttle < 0 {
				return errors.New("--throttle: want 0 or more")
			}
			return runAWSSimulate(cmd, &f)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.listen, "listen", "127.0.0.1:4566", "address to serve on; port 0 takes a free one")
	fl.BoolVar(&f.demo, "demo", false, "begin with two accounts that have load balancers of differing policies in three regions")
	fl.StringSliceVar(&f.seeds, "seed", nil, "begin with the accounts in this file; may be repeated")
	fl.StringVar(&f.state, "state", "", "keep everything in this file: read first if it is there (instead of --demo and --seed), written after each change")
	fl.StringSliceVar(&f.faults.Deny, "deny", nil, "deny these actions to everyone, such as elasticloadbalancing:Modify*; may be repeated")
	fl.IntVar(&f.faults.Throttle, "throttle", 0, "throttle so many requests before each one that passes")
	fl.StringSliceVar(&f.faults.Throttled, "throttle-action", nil, "throttle these actions only; may be repeated")
	fl.BoolVarP(&f.verbose, "verbose", "v", false, "print each request to standard error")
	fl.BoolVar(&f.asJSON, "json", false, "print what to export as a JSON document (docs/schema/aws-simulate.schema.json)")
	return cmd
}

func runAWSSimulate(cmd *cobra.Command, f *awsSimulateFlags) error {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cloud, err := f.cloud()
	if err != nil {
		return err
	}
	cloud.SetFaults(f.faults)
	if f.verbose {
		var mu sync.Mutex
		cloud.Told = func(s simulate.Served) {
			mu.Lock()
			defer mu.Unlock()
			fmt.Fprintf(cmd.ErrOrStderr(), "%s  %d  %-14s  %s  %s\n", s.Time.Format(time.TimeOnly), s.Status, s.Region, s.Action, s.Who)
		}
	}
	l, err := net.Listen("tcp", f.listen)
	if err != nil {
		return fmt.Errorf("--listen %s: %w", f.listen, err)
	}
	if err := f.tell(cmd, cloud, l.Addr().String()); err != nil {
		return err
	}
	server := &http.Server{Handler: cloud, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	if err := f.keep(ctx, cloud, ended); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return f.save(cloud)
}

// cloud makes the accounts to serve.
func (f *awsSimulateFlags) cloud() (*simulate.Cloud, error) {
	if f.state != "" {
		if s, err := readState(f.state); err == nil {
			return newCloud(f.state, s)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	first, name := simulate.Empty(), "the empty account"
	if f.demo {
		first, name = simulate.Demo(time.Now()), "the demo"
	} else if len(f.seeds) > 0 {
		first = simulate.State{}
	}
	cloud, err := newCloud(name, first)
	if err != nil {
		return nil, err
	}
	for _, file := range f.seeds {
		s, err := readState(file)
		if err != nil {
			return nil, err
		}
		if err := cloud.Add(s); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return cloud, nil
}

func newCloud(name string, s simulate.State) (*simulate.Cloud, error) {
	cloud, err := simulate.New(s)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return cloud, nil
}

// maxStateFile bounds a file of accounts: five thousand load balancers take 10 MB.
const maxStateFile = 256 << 20

func readState(file string) (s simulate.State, err error) {
	r, err := os.Open(file)
	if err != nil {
		return s, err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, maxStateFile+1))
	if err == nil && len(b) > maxStateFile {
		err = fmt.Errorf("larger than %d MB", maxStateFile>>20)
	}
	if err == nil {
		s, err = simulate.ReadState(b)
	}
	if err != nil {
		return s, fmt.Errorf("%s: %w", file, err)
	}
	return s, nil
}

// tell says how to use the simulation.
func (f *awsSimulateFlags) tell(cmd *cobra.Command, cloud *simulate.Cloud, address string) error {
	s, err := cloud.State()
	if err != nil {
		return err
	}
	doc := &render.AWSSimulation{Schema: "parley/aws-simulate/1", EndpointURL: "http://" + address, Accounts: []render.AWSSimulationAccount{},
		Environment: map[string]string{"AWS_ENDPOINT_URL": "http://" + address}}
	for _, a := range s.Accounts {
		out := render.AWSSimulationAccount{ID: a.ID, Roles: []string{}, Regions: a.WithLoadBalancers()}
		for _, r := range a.Roles {
			out.Roles = append(out.Roles, "arn:aws:iam::"+a.ID+":role/"+r.Name)
		}
		doc.Accounts = append(doc.Accounts, out)
		if len(a.Users) == 0 || doc.Environment["AWS_ACCESS_KEY_ID"] != "" {
			continue
		}
		doc.Environment["AWS_ACCESS_KEY_ID"], doc.Environment["AWS_SECRET_ACCESS_KEY"] = a.Users[0].Key, a.Users[0].Secret
		doc.Environment["AWS_REGION"] = a.Home()
	}
	if doc.Environment["AWS_ACCESS_KEY_ID"] == "" {
		return errors.New("no account has a user: nobody could sign a request (docs/aws-simulate.md)")
	}
	if f.asJSON {
		return render.JSON(cmd.OutOrStdout(), doc)
	}
	return render.AWSSimulationText(cmd.OutOrStdout(), doc, styleFor(cmd.OutOrStdout()))
}

// keep waits until it is interrupted, and writes the state meanwhile whenever something has changed.
func (f *awsSimulateFlags) keep(ctx context.Context, cloud *simulate.Cloud, ended <-chan error) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for saved := -1; ; {
		select {
		case <-ctx.Done():
			return nil
		case err := <-ended:
			return err
		case <-tick.C:
		}
		if n := cloud.Changes(); n != saved {
			if err := f.save(cloud); err != nil {
				return err
			}
			saved = n
		}
	}
}

// save writes the state, whole or not at all.
func (f *awsSimulateFlags) save(cloud *simulate.Cloud) error {
	if f.state == "" {
		return nil
	}
	s, err := cloud.State()
	if err != nil {
		return err
	}
	b, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return err
	}
	t, err := os.CreateTemp(filepath.Dir(f.state), "."+strings.TrimPrefix(filepath.Base(f.state), ".")+".*")
	if err != nil {
		return fmt.Errorf("--state: %w", err)
	}
	defer os.Remove(t.Name()) // gone once it is renamed
	_, err = t.Write(append(b, '\n'))
	if e := t.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(t.Name(), f.state)
	}
	if err != nil {
		return fmt.Errorf("--state: %w", err)
	}
	return nil
}
