package classic

import (
	"regexp"
	"slices"
	"strings"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/query"
	"github.com/parley-tls/parley/elbapi/store"
)

// Listener is a listener as the API shows it and takes it.
type Listener struct {
	Protocol         string `query:"required"`
	LoadBalancerPort int    `query:"required"`
	InstanceProtocol string
	InstancePort     int `query:"required,min=1,max=65535"`
	SSLCertificateId string
}

// layers are the protocols of a listener: those of one layer go together.
var layers = map[string]int{"HTTP": 7, "HTTPS": 7, "TCP": 4, "SSL": 4}

func secure(protocol string) bool { return protocol == "HTTPS" || protocol == "SSL" }

// check checks one listener by itself, and makes it what is kept.
func (in Listener) check(r *store.Region, certificates []*store.Certificate) (*store.Listener, error) {
	l := &store.Listener{Port: in.LoadBalancerPort, Protocol: strings.ToUpper(in.Protocol), InstancePort: in.InstancePort, InstanceProtocol: strings.ToUpper(in.InstanceProtocol)}
	if l.InstanceProtocol == "" {
		// What is not named is the plain protocol of the same layer.
		l.InstanceProtocol = map[int]string{7: "HTTP", 4: "TCP"}[layers[l.Protocol]]
	}
	switch {
	case layers[l.Protocol] == 0:
		return nil, query.Fail("UnsupportedProtocol", "Load Balancer protocol %s is not supported: HTTP, HTTPS, TCP and SSL are", in.Protocol)
	case layers[l.InstanceProtocol] == 0:
		return nil, query.Fail("UnsupportedProtocol", "Instance protocol %s is not supported: HTTP, HTTPS, TCP and SSL are", in.InstanceProtocol)
	case layers[l.Protocol] != layers[l.InstanceProtocol]:
		return nil, query.Invalid("Load Balancer protocol %s and instance protocol %s must be at the same layer", l.Protocol, l.InstanceProtocol)
	case l.Port < 1 || l.Port > 65535:
		return nil, query.Invalid("LoadBalancerPort must be between 1 and 65535, not %d", l.Port)
	case secure(l.Protocol) && in.SSLCertificateId == "":
		return nil, query.Invalid("Secure Listeners need to specify a SSLCertificateId")
	case !secure(l.Protocol) && in.SSLCertificateId != "":
		return nil, query.Invalid("SSLCertificateId can only be specified for HTTPS and SSL listeners")
	}
	if in.SSLCertificateId != "" {
		if err := checkCertificate(r, certificates, in.SSLCertificateId); err != nil {
			return nil, err
		}
		l.Certificates = []string{in.SSLCertificateId}
	}
	return l, nil
}

var certificateARN = regexp.MustCompile(`^arn:aws[a-z-]*:(acm:[a-z0-9-]+|iam:):\d{12}:(certificate/[\w-]+|server-certificate/[\w+=,.@/-]+)$`)

// checkCertificate checks that a certificate is there, as far as it is known which are: those of the region in ACM, those of
// the account in IAM.
func checkCertificate(r *store.Region, ofIAM []*store.Certificate, arn string) error {
	missing := query.Fail("CertificateNotFound", "Server Certificate not found for the key: %s", arn)
	if !certificateARN.MatchString(arn) {
		return missing
	}
	known := r.Certificates
	if strings.Contains(arn, ":iam:") {
		known = ofIAM
	}
	if known != nil && !slices.ContainsFunc(known, func(c *store.Certificate) bool { return c.ARN == arn }) {
		return missing
	}
	return nil
}

// ofIAM are the caller's certificates in IAM.
func ofIAM(c *elbapi.Call) (l []*store.Certificate, err error) {
	err = c.Store.Account(c.Account, func(a *store.Account) error {
		l = a.ServerCertificates
		return nil
	})
	return l, err
}

// show is a listener as the API shows it.
func show(l *store.Listener) Listener {
	out := Listener{Protocol: l.Protocol, LoadBalancerPort: l.Port, InstanceProtocol: l.InstanceProtocol, InstancePort: l.InstancePort}
	if len(l.Certificates) > 0 {
		out.SSLCertificateId = l.Certificates[0]
	}
	return out
}

// listenerAt returns the listener at a port.
func listenerAt(l *store.LoadBalancer, port int) (*store.Listener, error) {
	for _, x := range l.Listeners {
		if x.Port == port {
			return x, nil
		}
	}
	return nil, query.Fail("ListenerNotFound", "There is no listener at port %d of load balancer %s", port, l.Name)
}

// add adds listeners, all or none. What is there already, and alike, is left as it is.
func add(l *store.LoadBalancer, listeners []*store.Listener) error {
	var fresh []*store.Listener
	for _, x := range listeners {
		old, err := listenerAt(l, x.Port)
		if i := slices.IndexFunc(fresh, func(f *store.Listener) bool { return f.Port == x.Port }); err != nil && i >= 0 {
			old, err = fresh[i], nil
		}
		switch {
		case err != nil:
			fresh = append(fresh, x)
		case show(old) != show(x):
			return query.Fail("DuplicateListener", "A Listener already exists for %s with LoadBalancerPort %d, but with a different InstancePort, Protocol, or SSLCertificateId", l.Name, x.Port)
		}
	}
	for _, x := range fresh {
		if secure(x.Protocol) {
			x.Policies = []string{defaultPolicy}
			carry(l, defaultPolicy)
		}
		l.Listeners = append(l.Listeners, x)
	}
	return nil
}

type listenersInput struct {
	LoadBalancerName string     `query:"required"`
	Listeners        []Listener `query:"required"`
}

func createListeners(c *elbapi.Call, in *listenersInput) (*nothing, error) {
	certificates, err := ofIAM(c)
	if err != nil {
		return nil, err
	}
	return &nothing{}, update(c, in.LoadBalancerName, func(r *store.Region, l *store.LoadBalancer) error {
		made, err := checkAll(r, certificates, in.Listeners)
		if err != nil {
			return err
		}
		return add(l, made)
	})
}

func checkAll(r *store.Region, certificates []*store.Certificate, listeners []Listener) ([]*store.Listener, error) {
	var made []*store.Listener
	for _, x := range listeners {
		m, err := x.check(r, certificates)
		if err != nil {
			return nil, err
		}
		made = append(made, m)
	}
	return made, nil
}

type deleteListenersInput struct {
	LoadBalancerName  string `query:"required"`
	LoadBalancerPorts []int  `query:"required"`
}

func deleteListeners(c *elbapi.Call, in *deleteListenersInput) (*nothing, error) {
	return &nothing{}, update(c, in.LoadBalancerName, func(_ *store.Region, l *store.LoadBalancer) error {
		l.Listeners = slices.DeleteFunc(l.Listeners, func(x *store.Listener) bool { return slices.Contains(in.LoadBalancerPorts, x.Port) })
		return nil
	})
}

type setCertificateInput struct {
	LoadBalancerName string `query:"required"`
	LoadBalancerPort int    `query:"required"`
	SSLCertificateId string `query:"required"`
}

func setCertificate(c *elbapi.Call, in *setCertificateInput) (*nothing, error) {
	certificates, err := ofIAM(c)
	if err != nil {
		return nil, err
	}
	return &nothing{}, update(c, in.LoadBalancerName, func(r *store.Region, l *store.LoadBalancer) error {
		x, err := listenerAt(l, in.LoadBalancerPort)
		if err != nil {
			return err
		}
		if !secure(x.Protocol) {
			return conflict("The listener at port %d is %s: only HTTPS and SSL listeners have a certificate", x.Port, x.Protocol)
		}
		if err := checkCertificate(r, certificates, in.SSLCertificateId); err != nil {
			return err
		}
		x.Certificates = []string{in.SSLCertificateId}
		return nil
	})
}
