package simulate

import (
	"cmp"
	"regexp"
	"slices"
)

var acmActions = map[string]func(*Cloud, *call) (tree, error){
	"ListCertificates":    (*Cloud).listCertificates,
	"DescribeCertificate": (*Cloud).describeCertificate,
}

// summarised are the fields that a certificate's summary takes over from its description as they are.
var summarised = []string{"CertificateArn", "DomainName", "Status", "Type", "KeyAlgorithm", "NotBefore", "NotAfter", "CreatedAt", "IssuedAt", "ImportedAt",
	"RevokedAt", "RenewalEligibility"}

// listedKeys are the kinds of keys whose certificates are listed where the request names none: others are left out in silence.
// Source: Filters, keyTypes, in the ACM API reference.
var listedKeys = []string{"RSA_1024", "RSA_2048"}

func (c *Cloud) listCertificates(k *call) (tree, error) {
	includes := k.in.branch("Includes")
	keys, states := includes.texts("keyTypes"), k.in.texts("CertificateStatuses")
	if len(keys) == 0 {
		keys = listedKeys
	}
	var found []tree
	for _, cert := range k.region.certificates {
		switch {
		case !slices.Contains(keys, cert.text("KeyAlgorithm")):
		case len(states) > 0 && !slices.Contains(states, cert.text("Status")):
		default:
			found = append(found, summary(cert))
		}
	}
	if k.in.text("SortBy") == "CREATED_AT" {
		slices.SortStableFunc(found, func(a, b tree) int {
			x, _ := a.when("CreatedAt")
			y, _ := b.when("CreatedAt")
			if k.in.text("SortOrder") == "DESCENDING" {
				return y.Compare(x)
			}
			return cmp.Compare(x.Unix(), y.Unix())
		})
	}
	size, bad := k.in.sizeOf("MaxItems", 1, 1000, 1000)
	part, next, ok := page(found, k.in.text("NextToken"), size)
	switch {
	case bad:
		return nil, refuse("ValidationException", "Value '%s' at 'maxItems' failed to satisfy constraint: Member must have value between 1 and 1000", k.in.text("MaxItems"))
	case !ok:
		return nil, refuse("InvalidArgsException", "NextToken is invalid")
	}
	out := tree{"CertificateSummaryList": list(part)}
	if next != "" {
		out["NextToken"] = next
	}
	return out, nil
}

// summary is what a list says of a certificate.
func summary(cert tree) tree {
	s := tree{"InUse": len(cert.list("InUseBy")) > 0, "HasAdditionalSubjectAlternativeNames": false}
	for _, name := range summarised {
		if v, ok := cert[name]; ok {
			s[name] = v
		}
	}
	if names := cert.list("SubjectAlternativeNames"); len(names) > 0 {
		s["SubjectAlternativeNameSummaries"] = names[:min(len(names), 100)]
		s["HasAdditionalSubjectAlternativeNames"] = len(names) > 100
	}
	return s
}

var certificateARN = regexp.MustCompile(`^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate/[\w-]+$`)

func (c *Cloud) describeCertificate(k *call) (tree, error) {
	arn := k.in.text("CertificateArn")
	if !certificateARN.MatchString(arn) {
		return nil, refuse("ValidationException", "1 validation error detected: Value '%s' at 'certificateArn' failed to satisfy constraint", arn)
	}
	for _, cert := range k.region.certificates {
		if cert.text("CertificateArn") == arn {
			return tree{"Certificate": cert}, nil
		}
	}
	return nil, refuse("ResourceNotFoundException", "Could not find certificate %s.", arn)
}
