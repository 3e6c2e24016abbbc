package simulate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/classic"
	"github.com/parley-tls/parley/elbapi/elbv2"
	"github.com/parley-tls/parley/elbapi/sigv4"
	"github.com/parley-tls/parley/elbapi/store"
)

// LoadBalancing is the server that answers for Elastic Load Balancing: tests set its limits and faults, and count its calls.
func (c *Cloud) LoadBalancing() *elbapi.Server { return c.balancing }

// balancingService is how Elastic Load Balancing answers before a request comes to its server.
func balancingService() *service {
	return &service{dialect: queryErrors, prefix: elbv2.Service, wire: always(queryWire{elbv2.Namespace})}
}

// serveBalancing hands a request that was let in to the load balancers' server, and records it.
func (c *Cloud) serveBalancing(w http.ResponseWriter, k *call) {
	r := k.request.Clone(k.request.Context())
	r.Body = io.NopCloser(bytes.NewReader(k.raw))
	answer := httptest.NewRecorder()
	c.balancing.ServeHTTP(answer, r)
	if id := answer.Header().Get("x-amzn-RequestId"); id != "" {
		k.id = id
	}
	c.recordBalancing(k, answer.Code, answer.Body.Bytes())
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	w.Write(answer.Body.Bytes())
}

// addKey makes a key known to the load balancers' server.
func (c *Cloud) addKey(who *identity) error {
	return c.store.Account(who.account.id, func(a *store.Account) error {
		a.Keys = slices.DeleteFunc(a.Keys, func(k sigv4.Key) bool { return k.ID == who.key || !k.Expires.IsZero() && k.Expires.Before(c.now()) })
		a.Keys = append(a.Keys, who.signingKey())
		return nil
	})
}

func (w *identity) signingKey() sigv4.Key {
	return sigv4.Key{ID: w.key, Secret: w.secret, Token: w.token, Expires: w.expires, Subject: w.arn, Account: w.account.id}
}

// addServerCertificates makes the certificates of IAM known to the load balancers' server; where there is none, any is taken.
func (c *Cloud) addServerCertificates(a *account) error {
	return c.store.Account(a.id, func(to *store.Account) error {
		to.ServerCertificates = nil
		for _, cert := range a.certificates {
			to.ServerCertificates = append(to.ServerCertificates, &store.Certificate{ARN: cert.branch("ServerCertificateMetadata").text("Arn")})
		}
		return nil
	})
}

// addBalancing puts the load balancers of a state into a region, and makes its certificates, subnets and security groups
// known to their server, which then checks them; where a region has none of a kind, any is taken.
func (c *Cloud) addBalancing(a *account, r *region, s *Region) error {
	return c.store.Update(a.id, r.name, func(to *store.Region) error {
		to.Certificates, to.Subnets, to.SecurityGroups = nil, nil, nil
		for _, cert := range r.certificates {
			to.Certificates = append(to.Certificates, certificate(cert))
		}
		for _, n := range r.subnets {
			to.Subnets = append(to.Subnets, store.Subnet{ID: n.text("SubnetId"), Zone: n.text("AvailabilityZone"), VPC: n.text("VpcId")})
		}
		for _, g := range r.groups {
			to.SecurityGroups = append(to.SecurityGroups, g.text("GroupId"))
		}
		for _, l := range s.LoadBalancers {
			l, err := copied(l)
			if err == nil {
				err = c.complete(to, l)
			}
			if err != nil {
				return fmt.Errorf("load balancer %q: %w", l.Name, err)
			}
			to.AddLoadBalancer(l)
		}
		for _, g := range s.TargetGroups {
			g, err := copied(g)
			if err != nil {
				return err
			}
			if g.ARN == "" {
				g.ARN = to.ARN("targetgroup/" + g.Name + "/" + store.NewID())
			}
			to.AddTargetGroup(g)
		}
		for _, t := range s.TrustStores {
			t, err := copied(t)
			if err != nil {
				return err
			}
			to.TrustStores = append(to.TrustStores, t)
		}
		return nil
	})
}

// complete fills in what a load balancer that was written by hand leaves out, and checks the rest.
func (c *Cloud) complete(r *store.Region, l *store.LoadBalancer) error {
	switch {
	case l.Name == "":
		return fmt.Errorf("it has no name")
	case l.ARN != "" && r.LoadBalancer(l.ARN) != nil, r.LoadBalancerNamed(l.Name, l.Type == store.Classic) != nil:
		return fmt.Errorf("there is one of that name already")
	}
	if i := slices.Index(l.Listeners, nil); i >= 0 {
		return fmt.Errorf("listener %d is empty", i+1)
	}
	if l.Type == store.Classic {
		return classic.Complete(r, l, c.now())
	}
	return elbv2.Complete(r, l, c.now())
}

// certificate is what the load balancers' server knows of one of ACM's.
func certificate(c tree) *store.Certificate {
	s := &store.Certificate{ARN: c.text("CertificateArn"), Domain: c.text("DomainName"), Names: c.texts("SubjectAlternativeNames"), Key: c.text("KeyAlgorithm"),
		Signature: c.text("SignatureAlgorithm"), Status: c.text("Status"), Type: c.text("Type"), Issuer: c.text("Issuer")}
	s.NotBefore, _ = c.when("NotBefore")
	s.NotAfter, _ = c.when("NotAfter")
	return s
}

// copied is a copy of a value of the store's, which shares nothing with it.
func copied[T any](v *T) (*T, error) {
	to := new(T)
	b, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(b, to)
	}
	return to, err
}

// balancingState puts a region's load balancers into a state.
func (c *Cloud) balancingState(account, region string, s *Region) error {
	return c.store.View(account, region, func(r *store.Region) error {
		whole, err := copied(&store.Region{LoadBalancers: r.LoadBalancers, TargetGroups: r.TargetGroups, TrustStores: r.TrustStores})
		if err != nil {
			return err
		}
		s.LoadBalancers, s.TargetGroups, s.TrustStores = whole.LoadBalancers, whole.TargetGroups, whole.TrustStores
		return nil
	})
}
