package elbv2

import (
	"cmp"
	"regexp"
	"slices"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/query"
	"github.com/parley-tls/parley/elbapi/store"
)

var (
	acmARN = regexp.MustCompile(`\Aarn:aws[a-z-]*:acm:([a-z0-9-]+):(\d{12}):certificate/[A-Za-z0-9-]+\z`)
	iamARN = regexp.MustCompile(`\Aarn:aws[a-z-]*:iam::(\d{12}):server-certificate/[\w+=,.@/-]+\z`)
)

// The keys, as ACM names them, that a listener of a Network Load Balancer cannot serve.
var notOnNetwork = []string{"RSA_4096"}

// checkCertificate: the certificate is there, issued, and of a kind that the load balancer can serve.
func checkCertificate(r *store.Region, l *store.LoadBalancer, arn string) error {
	if m := acmARN.FindStringSubmatch(arn); m != nil {
		if m[1] != r.Name {
			return query.Invalid("Certificate ARN '%s' is not valid", arn)
		}
		if m[2] != r.Account {
			return query.Fail("CertificateNotFound", "Certificate '%s' not found", arn)
		}
	} else if m := iamARN.FindStringSubmatch(arn); m == nil {
		return query.Invalid("Certificate ARN '%s' is not valid", arn)
	} else if m[1] != r.Account {
		return query.Fail("CertificateNotFound", "Certificate '%s' not found", arn)
	}
	c, known := r.Certificate(arn)
	switch {
	case !known:
		return nil
	case c == nil:
		return query.Fail("CertificateNotFound", "Certificate '%s' not found", arn)
	case c.Status != "" && c.Status != "ISSUED", l.Type == store.Network && acmARN.MatchString(arn) && slices.Contains(notOnNetwork, c.Key):
		return query.Fail("UnsupportedCertificate", "The certificate '%s' must have a fully-qualified domain name, a supported signature, and a supported key size.", arn)
	}
	return nil
}

type listenerCertificatesInput struct {
	ListenerArn  string        `query:"required"`
	Certificates []Certificate `query:"required"`
}

type certificatesOutput struct{ Certificates []Certificate }

// secureListener finds a listener that can have certificates, and checks those of a request.
func secureListener(r *store.Region, in *listenerCertificatesInput) (*store.LoadBalancer, *store.Listener, error) {
	l, x, err := findListener(r, in.ListenerArn)
	if err != nil {
		return nil, nil, err
	}
	if !isSecure(x.Protocol) {
		return nil, nil, query.Invalid("Certificates cannot be specified for %s listeners", x.Protocol)
	}
	if len(x.Certificates) == 0 {
		return nil, nil, query.Fail("InvalidConfigurationRequest", "Listener '%s' has no default certificate: use ModifyListener to set one", x.ARN)
	}
	for _, c := range in.Certificates {
		if c.CertificateArn == "" {
			return nil, nil, query.Invalid("A certificate ARN must be specified")
		}
		if c.IsDefault != nil {
			return nil, nil, query.Invalid("You cannot specify whether a certificate is the default one: use ModifyListener to change it")
		}
	}
	return l, x, nil
}

func addListenerCertificates(c *elbapi.Call, in *listenerCertificatesInput) (*certificatesOutput, error) {
	return elbapi.Update(c, func(r *store.Region) (*certificatesOutput, error) {
		out := &certificatesOutput{Certificates: []Certificate{}}
		l, x, err := secureListener(r, in)
		if err != nil {
			return nil, err
		}
		add := slices.Clone(x.Certificates)
		for _, c := range in.Certificates {
			if err := checkCertificate(r, l, c.CertificateArn); err != nil {
				return nil, err
			}
			if !slices.Contains(add[1:], c.CertificateArn) {
				add = append(add, c.CertificateArn)
			}
			out.Certificates = append(out.Certificates, Certificate{c.CertificateArn, new(bool)})
		}
		n := len(add) - 1
		for _, other := range l.Listeners {
			if other != x && len(other.Certificates) > 0 {
				n += len(other.Certificates) - 1
			}
		}
		if most := limit(r, "certificates-per-"+l.Type+"-load-balancer", 25); n > most {
			return nil, query.Fail("TooManyCertificates", "The maximum number of certificates for load balancer '%s' has been reached: %d, default certificates not counted", l.ARN, most)
		}
		x.Certificates = add
		return out, nil
	})
}

func removeListenerCertificates(c *elbapi.Call, in *listenerCertificatesInput) (*nothing, error) {
	return elbapi.Update(c, func(r *store.Region) (*nothing, error) {
		_, x, err := secureListener(r, in)
		if err != nil {
			return nil, err
		}
		sni := slices.Clone(x.Certificates[1:])
		for _, c := range in.Certificates {
			i := slices.Index(sni, c.CertificateArn)
			if i < 0 && c.CertificateArn == x.Certificates[0] {
				return nil, query.Fail("OperationNotPermitted", "Default certificate '%s' cannot be removed", c.CertificateArn)
			}
			if i >= 0 {
				sni = slices.Delete(sni, i, i+1)
			}
		}
		x.Certificates = append(x.Certificates[:1:1], sni...)
		return &nothing{}, nil
	})
}

type describeListenerCertificatesInput struct {
	ListenerArn string `query:"required"`
	Marker      string
	PageSize    *int `query:"min=1,max=400"`
}

type describeListenerCertificatesOutput struct {
	Certificates []Certificate
	NextMarker   string
}

// describeListenerCertificates lists the default certificate first. One that was added as well is there twice, as with AWS.
func describeListenerCertificates(c *elbapi.Call, in *describeListenerCertificatesInput) (*describeListenerCertificatesOutput, error) {
	return elbapi.View(c, func(r *store.Region) (*describeListenerCertificatesOutput, error) {
		out := &describeListenerCertificatesOutput{Certificates: []Certificate{}}
		_, x, err := findListener(r, in.ListenerArn)
		if err != nil {
			return nil, err
		}
		var all []Certificate
		for i, arn := range x.Certificates {
			first := i == 0
			all = append(all, Certificate{arn, &first})
		}
		if len(all) > 0 {
			slices.SortFunc(all[1:], func(a, b Certificate) int { return cmp.Compare(a.CertificateArn, b.CertificateArn) })
		}
		key := func(c Certificate) string {
			if *c.IsDefault {
				return "0"
			}
			return "1" + c.CertificateArn
		}
		all, out.NextMarker, err = query.Page(all, key, in.Marker, in.PageSize, 400)
		out.Certificates = append(out.Certificates, all...)
		return out, err
	})
}
