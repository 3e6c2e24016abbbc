package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/render"
)

func newPolicyCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Look up, compare and recognise the security policies of load balancers",
		Long: `The predefined security policies of AWS (Application, Network and Classic Load Balancer), CloudFront,
Azure Application Gateway, Google Cloud and Mozilla's Server Side TLS, and policies of your own in files.

A policy is named in full or as AWS's tables shorten it (TLS13-1-2-2021-06), in any case. Where ALB/NLB and
Classic share a name it means ALB/NLB; classic/2016-08 means Classic. A file holds policies in Parley's own
format (docs/policies.md), the answer of "aws elbv2 describe-ssl-policies" or "aws elb
describe-load-balancer-policies", or the attribute names of a Classic custom policy, one a line; FILE#NAME
takes one policy out of several.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPolicyListCmd(), newPolicyShowCmd(), newPolicyCompareCmd(), newPolicyMatchCmd(), newPolicyRecommendCmd(), newPolicyCheckUpstreamCmd())
	return cmd
}

func newPolicyListCmd() *cobra.Command {
	var families []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list [WORD]",
		Short: "List the predefined policies",
		Long:  "List the predefined policies, all or those with WORD in their name.",
		Example: `  parley policy list --family alb
  parley policy list PQ --json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var keep []policy.Family
			for _, name := range families {
				f, err := policy.ParseFamily(name)
				if err != nil {
					return err
				}
				keep = append(keep, f)
			}
			word := strings.ToLower(strings.Join(args, ""))
			list := render.PolicyList{Schema: "parley/policy-list/1", Policies: []render.PolicySummary{}}
			for _, p := range policy.All() {
				if (keep == nil || slices.Contains(keep, p.Family)) && strings.Contains(strings.ToLower(p.Name), word) {
					list.Policies = append(list.Policies, render.Summarize(p))
				}
			}
			if len(list.Policies) == 0 {
				return fmt.Errorf("no policy has %q in its name: see parley policy list", word)
			}
			return output(cmd, asJSON, &list)
		},
	}
	cmd.Flags().StringSliceVar(&families, "family", nil, "only this family: aws-elb, aws-classic, cloudfront, azure-appgw, gcp, mozilla")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	_ = cmd.RegisterFlagCompletionFunc("family", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var l []string
		for _, f := range policy.Families() {
			l = append(l, string(f))
		}
		return l, cobra.ShellCompDirectiveNoFileComp
	})
	return cmd
}

func newPolicyShowCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show NAME|FILE...",
		Short: "Show protocols, suites in order, groups, defaults, and how sure each is",
		Example: `  parley policy show ELBSecurityPolicy-TLS13-1-2-2021-06
  parley policy show classic/2016-08 --json
  aws elb describe-load-balancer-policies --load-balancer-name NAME > policies.json; parley policy show policies.json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			doc := render.Policies{Schema: "parley/policy/1"}
			for _, name := range args {
				l, err := findPolicies(name)
				if err != nil {
					return err
				}
				for _, p := range l {
					doc.Policies = append(doc.Policies, render.Detail(p))
				}
			}
			return output(cmd, asJSON, &doc)
		},
		ValidArgsFunction: completePolicies,
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// output writes v as JSON or as text.
func output(cmd *cobra.Command, asJSON bool, v interface {
	Text(io.Writer, render.Style) error
}) error {
	w := cmd.OutOrStdout()
	if asJSON {
		return render.JSON(w, v)
	}
	return v.Text(w, styleFor(w))
}

func completePolicies(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return policy.Names(), cobra.ShellCompDirectiveDefault
}

// findPolicies returns the policy of that name, or those in the file of that name.
func findPolicies(name string) ([]*policy.Policy, error) {
	name = strings.TrimPrefix(name, "policy:")
	if p := policy.ByName(name); p != nil {
		return []*policy.Policy{p}, nil
	}
	path, member, _ := strings.Cut(name, "#")
	data, err := readFile(path)
	switch {
	case err == nil:
	case errors.Is(err, fs.ErrNotExist) && !looksLikePath(path):
		_, err := policy.Find(name)
		return nil, err
	default:
		return nil, err
	}
	l, err := policy.Load(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if member == "" {
		return l, nil
	}
	var names []string
	for _, p := range l {
		if strings.EqualFold(p.Name, member) {
			return []*policy.Policy{p}, nil
		}
		names = append(names, p.Name)
	}
	return nil, fmt.Errorf("%s has no policy %q; it has %s", path, member, strings.Join(names, ", "))
}

// findPolicy is findPolicies where one policy is wanted.
func findPolicy(name string) (*policy.Policy, error) {
	l, err := findPolicies(name)
	if err != nil {
		return nil, err
	}
	if len(l) > 1 {
		return nil, fmt.Errorf("%s holds %d policies: name one, as %s#%s", name, len(l), name, l[0].Name)
	}
	return l[0], nil
}

// looksLikePath reports whether someone who typed name meant a file.
func looksLikePath(name string) bool {
	return strings.ContainsAny(name, `/\`) && !strings.HasPrefix(name, "classic/") || strings.HasSuffix(name, ".json") || strings.HasSuffix(name, ".txt")
}

// maxPolicyFile is above what policy.Load takes, which says so.
const maxPolicyFile = 2 << 20

// readFile reads a file, or standard input for "-", up to maxPolicyFile bytes.
func readFile(path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(io.LimitReader(os.Stdin, maxPolicyFile))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if st, err := f.Stat(); err == nil && st.IsDir() {
		return nil, fmt.Errorf("%s is a directory: name a file", path)
	}
	return io.ReadAll(io.LimitReader(f, maxPolicyFile))
}
