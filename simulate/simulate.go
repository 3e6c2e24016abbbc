// Package simulate is the part of AWS that Parley asks for, in one process and behind one address: accounts with users, roles
// and regions; STS, EC2, ACM, IAM, CloudWatch and CloudTrail as far as docs/aws-simulate.md says, each in the protocols that
// AWS's SDKs and CLI speak. What is not there is refused as AWS refuses what it does not know.
//
// It is for trying Parley out and for tests. Nothing of it reaches out, and its keys open nothing.
package simulate

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/elbv2"
	"github.com/parley-tls/parley/elbapi/sigv4"
	"github.com/parley-tls/parley/elbapi/store"
)

// Cloud is the accounts, and the handler that answers for all their services.
type Cloud struct {
	mu       sync.Mutex
	accounts map[string]*account
	keys     map[string]*identity // by access key
	faults   Faults
	now      func() time.Time
	services map[string]*service // by the name that signatures have

	// Told is called with each request once it is answered, from any goroutine. Set it before the first.
	Told func(Served)

	store     *store.Store // of the load balancers
	balancing *elbapi.Server
	changes   int
}

// account is one AWS account.
type account struct {
	id           string
	roles        map[string]*role
	regions      map[string]*region
	certificates []tree // of IAM, as GetServerCertificate gives them
}

// region is what an account has in a region. Trees are as AWS's JSON has them.
type region struct {
	name                          string
	groups, subnets, acls, routes []tree // of EC2
	certificates                  []tree // of ACM, as DescribeCertificate gives them
	metrics                       metrics
	events                        []tree // of CloudTrail, oldest first
}

// identity is who a key belongs to.
type identity struct {
	account     *account
	arn         string
	id          string // AIDA… of a user, AROA…:SESSION of a role's session
	name        string // of the user, or the session
	role        *role  // nil: a user
	key, secret string
	token       string    // of temporary credentials
	since       time.Time // of temporary credentials
	expires     time.Time // zero: never
	deny        []string  // actions, as IAM policies name them: "elasticloadbalancing:Modify*"
}

// role can be assumed.
type role struct {
	name   string
	id     string
	trusts []string // accounts whose users may assume it; none: every one that is here
	deny   []string
}

// service is one of AWS's services.
type service struct {
	dialect dialect
	prefix  string // of the actions in IAM policies: "sts", "cloudwatch"
	version string
	wire    func(*http.Request) wire
	actions map[string]func(*Cloud, *call) (tree, error)
}

// call is one request, with who sent it and what for.
type call struct {
	id      string
	who     *identity
	region  *region
	action  string
	in      tree
	raw     []byte // the body as it was signed
	request *http.Request
}

// always is a service with one protocol.
func always(w wire) func(*http.Request) wire { return func(*http.Request) wire { return w } }

func newServices() map[string]*service {
	return map[string]*service{
		"sts":         {queryErrors, "sts", "2011-06-15", always(queryWire{"https://sts.amazonaws.com/doc/2011-06-15/"}), stsActions},
		"iam":         {queryErrors, "iam", "2010-05-08", always(queryWire{"https://iam.amazonaws.com/doc/2010-05-08/"}), iamActions},
		"ec2":         {ec2Errors, "ec2", "2016-11-15", always(ec2Wire{queryWire{"http://ec2.amazonaws.com/doc/2016-11-15/"}}), ec2Actions},
		"acm":         {jsonErrors, "acm", "", always(jsonWire{"1.1"}), acmActions},
		"cloudtrail":  {jsonErrors, "cloudtrail", "", always(jsonWire{"1.1"}), cloudtrailActions},
		elbv2.Service: balancingService(),
		"monitoring":  {queryErrors, "cloudwatch", "2010-08-01", cloudwatchWire, cloudwatchActions},
	}
}

// Bounds of a request. CloudWatch takes the largest bodies, 1 MB.
const maxBody = 1 << 20

// ServeHTTP answers one request.
func (c *Cloud) ServeHTTP(to http.ResponseWriter, r *http.Request) {
	k, w := &call{id: newID(), request: r}, &watched{ResponseWriter: to}
	signature, unsigned := sigv4.Parse(r)
	s := c.serviceOf(r, signature)
	wire := s.wire(r)
	out, err := c.answer(k, s, wire, signature, unsigned)
	var f *fault
	switch {
	case errors.As(err, &f):
		c.recordRefused(k, s, f)
		wire.fail(w, k, f)
	case err != nil:
		f = &fault{code: "InternalFailure", message: err.Error(), status: http.StatusInternalServerError}
		wire.fail(w, k, f)
	case out == nil:
		c.serveBalancing(w, k)
	default:
		wire.answer(w, k, out)
	}
	if c.Told == nil {
		return
	}
	served := Served{Time: c.now(), Action: s.prefix + ":" + k.action, Status: w.status}
	if f != nil {
		served.Error = f
	}
	if k.who != nil {
		served.Who = k.who.arn
	}
	if signature != nil {
		served.Region = signature.Scope.Region
	}
	c.Told(served)
}

// Served is a request that was answered.
type Served struct {
	Time   time.Time
	Who    string // ARN; empty where the signature was refused
	Region string
	Action string // as IAM policies name it
	Status int
	Error  error // where the simulation refused it, before any service did
}

// watched notes the status of an answer.
type watched struct {
	http.ResponseWriter
	status int
}

func (w *watched) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// serviceOf is the service that a request is signed for; one that is not here knows no action.
func (c *Cloud) serviceOf(r *http.Request, signature *sigv4.Signature) *service {
	if signature != nil {
		if s := c.services[signature.Scope.Service]; s != nil {
			return s
		}
	}
	if r.Header.Get("X-Amz-Target") != "" {
		return &service{dialect: jsonErrors, wire: always(jsonWire{"1.1"})}
	}
	return &service{dialect: queryErrors, wire: always(queryWire{"http://webservices.amazon.com/AWSFault/2005-15-09"})}
}

// answer reads a request, finds out whose it is and does what it asks for. The answer is nil for Elastic Load Balancing, whose
// own server does the rest.
func (c *Cloud) answer(k *call, s *service, wire wire, signature *sigv4.Signature, unsigned error) (tree, error) {
	var err error
	if k.raw, err = readWhole(k.request.Body); err != nil {
		return nil, refuse("RequestEntityTooLarge", "%v", err)
	}
	if unsigned != nil {
		return nil, s.dialect.badSignature(unsigned)
	}
	body, err := unpack(k.request, k.raw)
	if err != nil {
		return nil, refuse("SerializationException", "%v", err)
	}
	if k.action, k.in, err = wire.read(k.request, body); err != nil {
		return nil, err
	}
	if err = c.admit(k, s, signature); err != nil {
		return nil, err
	}
	if s == c.services[elbv2.Service] {
		return nil, nil
	}
	do := s.actions[k.action]
	if do == nil {
		return nil, s.dialect.unknownAction(k.action, s.version)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return do(c, k)
}

func readWhole(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxBody+1))
	switch {
	case err != nil:
		return nil, err
	case len(b) > maxBody:
		return nil, fmt.Errorf("the body is larger than %d KB", maxBody>>10)
	}
	return b, nil
}

// unpack unpacks a body that its client packed, as CloudWatch's do with large ones.
func unpack(r *http.Request, raw []byte) ([]byte, error) {
	if !strings.EqualFold(r.Header.Get("Content-Encoding"), "gzip") {
		return raw, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("the body is not gzip, as its header says: %w", err)
	}
	return readWhole(z)
}

// newID makes an id of a request or event.
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// newName makes the random part of an id, of upper-case letters and digits.
func newName(prefix string, n int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	b := make([]byte, n)
	rand.Read(b)
	for i := range b {
		b[i] = letters[b[i]&31]
	}
	return prefix + string(b)
}
