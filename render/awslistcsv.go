package render

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"
)

// awsListColumns are the columns of the CSV, one row a listener.
var awsListColumns = []string{"account", "region", "profile", "role", "type", "load_balancer", "dns_name", "scheme", "state", "port", "protocol", "listener",
	"policy", "reference_policy", "default_for", "versions", "weakest_cipher", "weakest_strength", "certificates", "key_algorithms", "expires",
	"mutual_tls", "alpn_policy", "other_policies", "custom_suites"}

// CSV writes a table for spreadsheets.
func (l *AWSList) CSV(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write(awsListColumns); err != nil {
		return err
	}
	for i := range l.Listeners {
		x := &l.Listeners[i]
		row := map[string]string{"account": x.Account, "region": x.Region, "profile": x.Profile, "role": x.Role, "type": string(x.Kind), "load_balancer": x.LoadBalancer,
			"dns_name": x.DNSName, "scheme": x.Scheme, "state": x.State, "port": strconv.Itoa(x.Port), "protocol": x.Protocol, "listener": x.Identifier,
			"policy": x.Policy, "reference_policy": x.Reference, "default_for": strings.Join(x.DefaultFor, " "), "versions": join(x.Versions, " "),
			"mutual_tls": x.MutualTLS, "alpn_policy": x.ALPN, "other_policies": strings.Join(x.OtherPolicies, " ")}
		if k := x.Weakest; k != nil {
			row["weakest_cipher"], row["weakest_strength"] = k.Cipher.OpenSSL(), k.Strength.String()
		}
		var arns, keys []string
		for _, c := range x.Certificates {
			arns, keys = append(arns, c.ARN), append(keys, c.Key)
		}
		row["certificates"], row["key_algorithms"] = strings.Join(arns, " "), strings.Join(keys, " ")
		if !x.Expires.IsZero() {
			row["expires"] = x.Expires.UTC().Format(time.RFC3339)
		}
		if x.Custom != nil {
			var names []string
			for _, c := range x.Custom.Suites {
				names = append(names, c.OpenSSL())
			}
			row["custom_suites"] = strings.Join(names, ":")
		}
		if err := out.Write(csvRow(awsListColumns, row)); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
