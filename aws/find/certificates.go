package find

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/parley-tls/parley/aws/account"
	"github.com/parley-tls/parley/aws/elb"
)

// sniCertificates adds to each listener of ALB and NLB the certificates beside the default one.
func (a *asker) sniCertificates(ctx context.Context) {
	client := a.s.ELBv2()
	var wg sync.WaitGroup
	for i := range a.listeners {
		l := &a.listeners[i]
		if l.Kind == elb.Classic || !l.TLS() {
			continue
		}
		wg.Go(func() {
			defer a.enter()()
			pages := elbv2.NewDescribeListenerCertificatesPaginator(client, &elbv2.DescribeListenerCertificatesInput{ListenerArn: &l.ARN, PageSize: aws.Int32(pageSize)},
				func(o *elbv2.DescribeListenerCertificatesPaginatorOptions) { o.StopOnDuplicateToken = true })
			for pages.HasMorePages() {
				out, err := pages.NextPage(ctx)
				if code(err) == codeNoListener {
					return
				}
				if err != nil {
					a.problem(fmt.Sprintf("SNI certificates of %s:%d", l.LoadBalancer, l.Port), err)
					return
				}
				a.page()
				for _, c := range out.Certificates {
					arn := aws.ToString(c.CertificateArn)
					if !slices.ContainsFunc(l.Certificates, func(have elb.Certificate) bool { return have.ARN == arn }) {
						l.Certificates = append(l.Certificates, elb.Certificate{ARN: arn}) // the default one came with the listener
					}
				}
			}
		})
	}
	wg.Wait()
}

// service is the service of an ARN, "" where it is none.
func service(arn string) string {
	if f := strings.SplitN(arn, ":", 4); len(f) == 4 && f[0] == "arn" {
		return f[2]
	}
	return ""
}

// certificates are the certificates of the listeners that a service keeps, by ARN.
func (a *asker) certificates(of string) map[string][]*elb.Certificate {
	m := map[string][]*elb.Certificate{}
	for i := range a.listeners {
		for j := range a.listeners[i].Certificates {
			if c := &a.listeners[i].Certificates[j]; service(c.ARN) == of {
				m[c.ARN] = append(m[c.ARN], c)
			}
		}
	}
	return m
}

// acmPage is the largest page that ACM takes.
const acmPage = 1000

// acmCertificates fills in what ACM knows, until all are found. ACM lists RSA certificates up to 2048 bits only, unless it is
// asked for each kind of key, and hides some origins.
// Source: ListCertificates, Filters, AWS Certificate Manager API reference.
func (a *asker) acmCertificates(ctx context.Context) {
	open := a.certificates("acm")
	if len(open) == 0 {
		return
	}
	pages := acm.NewListCertificatesPaginator(a.s.ACM(), &acm.ListCertificatesInput{MaxItems: aws.Int32(acmPage),
		Includes:                  &acmtypes.Filters{KeyTypes: acmtypes.KeyAlgorithm("").Values()},
		CertificateKeyPairOrigins: acmtypes.CertificateKeyPairOrigin("").Values()},
		func(o *acm.ListCertificatesPaginatorOptions) { o.StopOnDuplicateToken = true })
	for pages.HasMorePages() && len(open) > 0 {
		out, err := pages.NextPage(ctx)
		if err != nil {
			a.problem("certificates in ACM", err)
			return
		}
		a.page()
		for i := range out.CertificateSummaryList {
			s := &out.CertificateSummaryList[i]
			for _, c := range open[aws.ToString(s.CertificateArn)] {
				// The API spells RSA-2048 what its own enumeration spells RSA_2048.
				c.Key = strings.Replace(string(s.KeyAlgorithm), "RSA-", "RSA_", 1)
				c.Status, c.NotAfter = string(s.Status), aws.ToTime(s.NotAfter)
				c.Names = slices.Clone(s.SubjectAlternativeNameSummaries)
				if d := aws.ToString(s.DomainName); d != "" && !slices.Contains(c.Names, d) {
					c.Names = append([]string{d}, c.Names...)
				}
			}
			delete(open, aws.ToString(s.CertificateArn))
		}
	}
}

// iamCertificates fills in the server certificates of IAM, which is one for all regions: each is asked for once.
func iamCertificates(ctx context.Context, askers []*asker) {
	type holder struct {
		first *asker
		all   []*elb.Certificate
	}
	byARN := map[string]*holder{}
	for _, a := range askers {
		for arn, l := range a.certificates("iam") {
			if byARN[arn] == nil {
				byARN[arn] = &holder{first: a}
			}
			byARN[arn].all = append(byARN[arn].all, l...)
		}
	}
	var wg sync.WaitGroup
	for arn, h := range byARN {
		wg.Go(func() {
			defer h.first.enter()()
			c, err := iamCertificate(ctx, h.first.s, arn)
			if err != nil {
				h.first.problem("certificate "+path.Base(arn)+" in IAM", err)
				return
			}
			for _, x := range h.all {
				x.Key, x.Names, x.NotAfter = c.Key, c.Names, c.NotAfter
			}
		})
	}
	wg.Wait()
}

func iamCertificate(ctx context.Context, s *account.Session, arn string) (*elb.Certificate, error) {
	out, err := s.IAM().GetServerCertificate(ctx, &iam.GetServerCertificateInput{ServerCertificateName: aws.String(path.Base(arn))})
	if err != nil {
		return nil, err
	}
	if out.ServerCertificate == nil {
		return nil, errors.New("no certificate in the answer")
	}
	block, _ := pem.Decode([]byte(aws.ToString(out.ServerCertificate.CertificateBody)))
	if block == nil {
		return nil, errors.New("no PEM in the answer")
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, err
	}
	names := c.DNSNames
	if len(names) == 0 && c.Subject.CommonName != "" {
		names = []string{c.Subject.CommonName}
	}
	return &elb.Certificate{Key: keyName(c.PublicKey), Names: names, NotAfter: c.NotAfter}, nil
}

// keyName names a kind of key as ACM does.
func keyName(key any) string {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA_%d", k.N.BitLen())
	case *ecdsa.PublicKey:
		if n := k.Curve.Params().Name; n != "P-256" {
			return "EC_secp" + strings.TrimPrefix(n, "P-") + "r1"
		}
		return string(acmtypes.KeyAlgorithmEcPrime256v1)
	}
	return ""
}
