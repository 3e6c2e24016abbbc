package elbapi

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/parley-tls/parley/elbapi/query"
	"github.com/parley-tls/parley/elbapi/sigv4"
	"github.com/parley-tls/parley/elbapi/store"
)

// Options set a server up. The zero value checks signatures, has no limits of rate and takes the machine's clock.
type Options struct {
	Now   func() time.Time
	Rates []Rate // limits, by kind of action; the first that names an action counts
	// Others are services that do not speak the Query protocol, by the service in the credential scope. A handler is called once
	// the signature is checked; CallOf has the call, and the request's body can be read anew.
	Others map[string]http.Handler
}

// Server answers requests for any number of APIs, accounts and regions. The region is that of the credential scope.
type Server struct {
	options Options
	store   *store.Store
	apis    map[string]map[string]*API // by service and version
	actions map[*API]map[string]*Action
	faults  faults
	limits  limits
	log     Log
}

// New makes a server. It panics if two of the APIs have the same service and version, or one names an action twice.
func New(s *store.Store, o Options, apis ...API) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	v := &Server{options: o, store: s, apis: make(map[string]map[string]*API), actions: make(map[*API]map[string]*Action)}
	v.limits.rates = o.Rates
	for i := range apis {
		a := &apis[i]
		if v.apis[a.Service] == nil {
			v.apis[a.Service] = make(map[string]*API)
		}
		if v.apis[a.Service][a.Version] != nil {
			panic("elbapi: two APIs " + a.Service + " " + a.Version)
		}
		v.apis[a.Service][a.Version] = a
		v.actions[a] = make(map[string]*Action, len(a.Actions))
		for j := range a.Actions {
			if v.actions[a][a.Actions[j].Name] != nil {
				panic("elbapi: two actions " + a.Actions[j].Name)
			}
			v.actions[a][a.Actions[j].Name] = &a.Actions[j]
		}
	}
	return v
}

// Log is what was called.
func (s *Server) Log() *Log { return &s.log }

// Store is what the accounts have.
func (s *Server) Store() *store.Store { return s.store }

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := s.options.Now()
	c := &Call{ID: newRequestID(), Now: start, Store: s.store}
	x := exchange{server: s, w: w, r: r, call: c}
	e := x.serve()
	status := http.StatusOK
	code := ""
	if e != nil {
		status, code = e.HTTPStatus(), e.Code
		x.write(status, query.Failure(x.style, x.namespace, c.ID, e))
	}
	s.log.add(Entry{Time: start, Took: s.options.Now().Sub(start), ID: c.ID, Account: c.Account, Region: c.Region, Service: c.Service,
		Action: c.Action, Status: status, Code: code})
}

type exchange struct {
	server    *Server
	w         http.ResponseWriter
	r         *http.Request
	call      *Call
	style     query.Style
	namespace string
}

func (x *exchange) write(status int, body []byte) {
	h := x.w.Header()
	h.Set("Content-Type", "text/xml")
	h.Set("x-amzn-RequestId", x.call.ID)
	h.Set("Content-Length", fmt.Sprint(len(body)))
	x.w.WriteHeader(status)
	x.w.Write(body) // a client that is gone needs no answer
}

// serve answers the request, or returns the error to answer it with.
func (x *exchange) serve() *query.Error {
	body, err := io.ReadAll(http.MaxBytesReader(x.w, x.r.Body, query.MaxBody))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return &query.Error{Code: "RequestEntityTooLarge", Message: fmt.Sprintf("The body is larger than %d bytes", query.MaxBody), Status: http.StatusRequestEntityTooLarge}
		}
		return query.Fail("IncompleteBody", "The body could not be read: %v", err)
	}
	c := x.call
	c.Body = body
	signature, key, err := sigv4.Verify(x.r, body, c.Now, 0, x.server.store.Key)
	if signature != nil {
		c.Region, c.Service = signature.Scope.Region, signature.Scope.Service
		x.namespace = x.server.anyNamespace(c.Service)
	}
	if err != nil {
		return query.AsError(err)
	}
	c.Key, c.Account = key, key.Account
	if other := x.server.options.Others[c.Service]; other != nil {
		return x.serveOther(other)
	}
	return x.serveQuery()
}

func (x *exchange) serveQuery() *query.Error {
	c, s := x.call, x.server
	versions := s.apis[c.Service]
	if versions == nil {
		return &query.Error{Code: "SignatureDoesNotMatch", Message: "Credential should be scoped to correct service.", Status: http.StatusForbidden}
	}
	v, err := x.parameters()
	if err != nil {
		return query.AsError(err)
	}
	c.Action, c.Version = v.Action, v.Version
	api := versions[v.Version]
	if api == nil {
		version := v.Version
		if version == "" {
			version = "NO_VERSION_SPECIFIED"
		}
		return query.Fail("InvalidAction", "Could not find operation %s for version %s", clip(v.Action), clip(version))
	}
	x.style, x.namespace = api.Style, api.Namespace
	action := s.actions[api][v.Action]
	if action == nil {
		return query.Fail("InvalidAction", "Could not find operation %s for version %s", clip(v.Action), v.Version)
	}
	after, e := s.admit(x.r.Context(), c)
	if e != nil {
		return e
	}
	out, err := action.run(c, v)
	if err != nil {
		return query.AsError(err)
	}
	if after != nil {
		return after
	}
	x.write(http.StatusOK, query.Result(api.Style, action.Name, api.Namespace, c.ID, out))
	return nil
}

func (x *exchange) parameters() (*query.Values, error) {
	switch x.r.Method {
	case http.MethodGet:
		return query.Parse(x.r.URL.RawQuery)
	case http.MethodPost:
		if kind, _, _ := strings.Cut(x.r.Header.Get("Content-Type"), ";"); !strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded") {
			return nil, query.Fail("MalformedInput", "The body of a POST is application/x-www-form-urlencoded, not %q", clip(kind))
		}
		return query.Parse(x.r.URL.RawQuery, string(x.call.Body))
	}
	return nil, &query.Error{Code: "InvalidAction", Message: "Requests are made by GET or POST, not " + clip(x.r.Method), Status: http.StatusMethodNotAllowed}
}

// serveOther hands the request on to a service with a protocol of its own. Its action is the last part of X-Amz-Target, or
// the method.
func (x *exchange) serveOther(h http.Handler) *query.Error {
	c := x.call
	c.Action = x.r.Method
	if target := x.r.Header.Get("X-Amz-Target"); target != "" {
		c.Action = target[strings.LastIndexByte(target, '.')+1:]
	}
	after, e := x.server.admit(x.r.Context(), c)
	if e != nil {
		return e
	}
	r := withCall(x.r, c)
	r.Body = io.NopCloser(bytes.NewReader(c.Body))
	if after != nil {
		h.ServeHTTP(&discard{header: make(http.Header)}, r)
		return after
	}
	h.ServeHTTP(x.w, r)
	return nil
}

type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}

// anyNamespace is the XML namespace of errors that come before the version is known.
func (s *Server) anyNamespace(service string) string {
	best := ""
	for version := range s.apis[service] {
		best = max(best, version)
	}
	if best == "" {
		return ""
	}
	return s.apis[service][best].Namespace
}

func newRequestID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func clip(text string) string {
	if len(text) > 80 {
		return text[:80] + "..."
	}
	return text
}
