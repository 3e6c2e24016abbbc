package render

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"strings"

	"github.com/parley-tls/parley/aws/audit"
)

// SARIF is a log of the Static Analysis Results Interchange Format, version 2.1.0, as far as Parley writes it.
// Source: OASIS standard "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".
type SARIF struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool struct {
		Driver struct {
			Name           string      `json:"name"`
			Version        string      `json:"version,omitempty"`
			InformationURI string      `json:"informationUri"`
			Rules          []sarifRule `json:"rules"`
		} `json:"driver"`
	} `json:"tool"`
	Invocations []sarifInvocation `json:"invocations"`
	Results     []sarifResult     `json:"results"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifRule struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	Short      sarifText `json:"shortDescription"`
	Full       sarifText `json:"fullDescription"`
	HelpURI    string    `json:"helpUri"`
	Help       sarifText `json:"help"` // GitHub wants it
	Properties struct {
		Tags     []string `json:"tags"`
		Severity string   `json:"security-severity"` // GitHub orders alerts by it
	} `json:"properties"`
	Default struct {
		Level string `json:"level"`
	} `json:"defaultConfiguration"`
}

type sarifInvocation struct {
	Successful    bool                `json:"executionSuccessful"`
	Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
}

type sarifNotification struct {
	Level   string    `json:"level"`
	Message sarifText `json:"message"`
}

type sarifResult struct {
	RuleID       string             `json:"ruleId"`
	RuleIndex    int                `json:"ruleIndex"`
	Level        string             `json:"level"`
	Message      sarifText          `json:"message"`
	Locations    []sarifLocation    `json:"locations"`
	Fingerprints map[string]string  `json:"partialFingerprints"`
	Suppressions []sarifSuppression `json:"suppressions,omitempty"`
}

type sarifLocation struct {
	Physical *sarifPhysical `json:"physicalLocation,omitempty"`
	Logical  []sarifLogical `json:"logicalLocations,omitempty"`
}

type sarifPhysical struct {
	Artifact struct {
		URI string `json:"uri"`
	} `json:"artifactLocation"`
	Region *sarifRegion `json:"region,omitempty"`
}

type sarifRegion struct {
	Line   int `json:"startLine"`
	Column int `json:"startColumn,omitempty"`
}

type sarifLogical struct {
	Name string `json:"fullyQualifiedName"`
	Kind string `json:"kind"`
}

type sarifSuppression struct {
	Kind          string `json:"kind"`
	Justification string `json:"justification,omitempty"`
}

const (
	sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	parleyHome  = "https://github.com/parley-tls/parley"
)

// sarifRules are the rules of an audit, by the status that breaks them. Severities are on CVSS's scale, as GitHub reads them.
var sarifRules = []struct {
	status                                       audit.Status
	id, name, short, full, help, level, severity string
}{
	{audit.Below, "aws-listener-below-requirement", "ListenerBelowRequirement", "The security policy of a load balancer's listener accepts what it must not",
		"The listener's security policy accepts protocol versions or cipher suites beyond what is required, or lacks what is required.",
		"Set the listener's security policy to one that meets the requirement: the message names the least change. parley impact tells which clients it would turn away.", "error", "7.5"},
	{audit.Plaintext, "aws-listener-without-tls", "ListenerWithoutTLS", "A load balancer's listener takes HTTP without TLS",
		"What clients send to the listener, and what they get, can be read and changed on its way.",
		"Redirect the listener to HTTPS, or end TLS on it.", "error", "7.5"},
	{audit.Unknown, "aws-listener-policy-unknown", "ListenerPolicyUnknown", "The security policy of a load balancer's listener cannot be told",
		"The policy is set by something that is not known here, or its name is in no table, so that it cannot be compared with what is required.",
		"Audit the plan or the account instead, which know it; or name a policy that AWS has.", "warning", "4.0"},
}

// SARIF makes a SARIF log of an audit: a result for each listener that does not meet the requirement. Listeners in files have a
// physical location, those of an account a logical one, which is their ARN. version is Parley's own, "" where it is not known.
func (d *AWSAudit) SARIF(version string) *SARIF {
	run := sarifRun{Results: []sarifResult{}}
	run.Tool.Driver.Name, run.Tool.Driver.Version, run.Tool.Driver.InformationURI = "parley", version, parleyHome
	for _, r := range sarifRules {
		rule := sarifRule{ID: r.id, Name: r.name, Short: sarifText{r.short + "."}, Full: sarifText{r.full}, Help: sarifText{r.help}, HelpURI: parleyHome + "/blob/main/docs/aws-audit.md"}
		rule.Properties.Tags, rule.Properties.Severity, rule.Default.Level = []string{"security", "tls"}, r.severity, r.level
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, rule)
	}
	invocation := sarifInvocation{Successful: len(d.Problems) == 0}
	for _, p := range d.Problems {
		invocation.Notifications = append(invocation.Notifications, sarifNotification{"error", sarifText{p.Where + ": " + p.Error}})
	}
	for _, u := range d.Unseen {
		invocation.Notifications = append(invocation.Notifications, sarifNotification{"warning", sarifText{u.At.String() + ": " + u.What}})
	}
	run.Invocations = []sarifInvocation{invocation}
	for i := range d.Listeners {
		if r, ok := sarifResultOf(&d.Listeners[i]); ok {
			run.Results = append(run.Results, r)
		}
	}
	return &SARIF{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{run}}
}

func sarifResultOf(j *audit.Judgement) (sarifResult, bool) {
	status := j.Status
	if status == audit.Waived {
		status = j.Waives
	}
	for i, rule := range sarifRules {
		if rule.status != status {
			continue
		}
		r := sarifResult{RuleID: rule.id, RuleIndex: i, Level: rule.level, Message: sarifText{sarifMessage(j)}, Locations: []sarifLocation{sarifPlace(j)}}
		where := j.Name
		if j.At != nil {
			where = fmt.Sprintf("%s\n%s\n%d", filepath.ToSlash(j.At.File), j.Name, j.Port)
		}
		sum := sha256.Sum256([]byte(rule.id + "\n" + where))
		r.Fingerprints = map[string]string{"parleyListener/v1": hex.EncodeToString(sum[:16])}
		if j.Status == audit.Waived {
			r.Suppressions = []sarifSuppression{{"external", strings.TrimSpace(fmt.Sprintf("until %s: %s", j.Waiver.Until.Format("2006-01-02"), j.Waiver.Reason))}}
		}
		return r, true
	}
	return sarifResult{}, false
}

func sarifMessage(j *audit.Judgement) string {
	parts := []string{j.Name + " (" + j.Title() + ")"}
	if j.Policy != "" {
		parts = append(parts, "has the security policy "+j.Policy)
	}
	text := strings.Join(parts, " ")
	if j.Reason != "" {
		text += ": " + j.Reason
	}
	for _, s := range shortfalls(j) {
		text += ". " + s
	}
	if j.Suggested != "" {
		text += ". Least change: " + j.Suggested
	}
	for _, n := range j.Notes {
		text += ". Note: " + n
	}
	return strings.ToValidUTF8(oneLine(text), "?") + "."
}

func sarifPlace(j *audit.Judgement) sarifLocation {
	l := sarifLocation{Logical: []sarifLogical{{j.Name, "resource"}}}
	if j.At == nil || j.At.File == "-" {
		return l
	}
	p := &sarifPhysical{}
	file := filepath.ToSlash(j.At.File)
	u := url.URL{Path: file}
	if path.IsAbs(file) {
		u.Scheme = "file"
	}
	p.Artifact.URI = strings.TrimPrefix(u.String(), "./")
	if j.At.Line > 0 {
		p.Region = &sarifRegion{j.At.Line, j.At.Column}
	}
	l.Physical = p
	return l
}
