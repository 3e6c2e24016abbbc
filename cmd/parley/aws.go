package main

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/parley-tls/parley/aws/account"
)

func newAWSCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "aws",
		Short: "Find, check and safely change the security policies of AWS load balancers",
		Long: `Find, check and safely change the security policies of Application, Network and Classic Load Balancers.

Credentials and regions are found as by the AWS CLI: environment, shared configuration, single sign-on, instance role. They are
never printed or stored. docs/aws.md has the IAM policies that reading and changing need.`,
	}
	cmd.AddCommand(newAWSListCmd(), newAWSErrorsCmd(), newAWSAuditCmd(), newAWSSetPolicyCmd(), newAWSApplyCmd(), newAWSUndoCmd(), newAWSJournalCmd(), newAWSSimulateCmd())
	return cmd
}

// awsFlags name the accounts and regions that a command asks.
type awsFlags struct{ account.Options }

func (f *awsFlags) add(fl *pflag.FlagSet) {
	fl.StringSliceVar(&f.Profiles, "profile", nil, "profiles of the shared AWS configuration; may be repeated (default: the environment's)")
	fl.StringSliceVar(&f.Regions, "region", nil, "regions to ask; may be repeated (default: the profile's)")
	fl.BoolVar(&f.AllRegions, "all-regions", false, "ask every region that the account has")
	fl.StringSliceVar(&f.Roles, "role", nil, "ARNs of roles to assume, one for each account; may be repeated")
	fl.StringVar(&f.EndpointURL, "endpoint-url", "", "ask this endpoint instead of AWS (also AWS_ENDPOINT_URL)")
}

// open opens the accounts; what fails there could not be found out.
func (f *awsFlags) open(ctx context.Context) ([]*account.Session, error) {
	s, err := account.Open(ctx, f.Options)
	if err != nil {
		return nil, undecided(err)
	}
	return s, nil
}
