package accesslog

import (
	"strings"

	"github.com/parley-tls/parley/evidence"
)

// The formats of Elastic Load Balancing, field by field as AWS documents them. Fields were added at the end over the years:
// lines with fewer and with more than today's are read.

// parseALB reads a line of an Application Load Balancer's access log.
func parseALB(d *decoder, line string, c *evidence.Connection) verdict {
	f := fields{line}
	kind, _ := f.next()
	encrypted := false
	switch kind {
	case "https", "h2", "grpcs", "wss":
		encrypted = true
	case "http", "ws":
	default:
		return bad
	}
	if !d.begin(&f, c) || !strings.HasPrefix(c.Server, "app/") {
		return bad
	}
	client, _ := f.next()
	var ok bool
	if c.Client, ok = d.clientPort(client); !ok || !f.skip(8) { // target to sent_bytes
		return bad
	}
	return d.httpRequest(&f, c, encrypted, true)
}

// parseClassic reads a line of a Classic Load Balancer's access log.
func parseClassic(d *decoder, line string, c *evidence.Connection) verdict {
	f := fields{line}
	if !d.begin(&f, c) {
		return bad
	}
	client, _ := f.next()
	var ok bool
	if c.Client, ok = d.clientPort(client); !ok || strings.IndexByte(client, ':') < 0 || !f.skip(8) || !strings.HasPrefix(f.rest, `"`) {
		return bad
	}
	return d.httpRequest(&f, c, true, false)
}

// begin reads the time and the load balancer's name.
func (d *decoder) begin(f *fields, c *evidence.Connection) bool {
	text, _ := f.next()
	var ok bool
	if c.Time, ok = d.time(text); !ok {
		return false
	}
	c.Server, ok = f.next()
	return ok && !none(c.Server)
}

// httpRequest reads what ALB and Classic logs have in common: the request, its user agent, cipher and protocol; and of an ALB's
// the server's name, two fields later.
func (d *decoder) httpRequest(f *fields, c *evidence.Connection, encrypted, alb bool) verdict {
	if !f.skip(1) { // the request
		return bad
	}
	agent, ok := f.next()
	if !ok {
		if alb {
			return bad
		}
		return plain // Classic lines before 2015 end here
	}
	cipher, ok1 := f.next()
	protocol, ok2 := f.next()
	if !ok1 || !ok2 {
		return bad
	}
	if c.Outcome.Suite, ok1 = d.suite(cipher); !ok1 {
		return bad
	}
	if c.Outcome.Version, ok2 = d.version(protocol); !ok2 {
		return bad
	}
	if alb && !f.skip(1) { // target_group_arn: without it the protocol before may be cut
		return bad
	}
	if !encrypted || c.Outcome.Suite == 0 && c.Outcome.Version == 0 {
		return plain
	}
	if !none(agent) {
		c.UserAgent = agent
	}
	c.Request, c.Outcome.Result = true, evidence.Established
	if alb && f.skip(1) { // trace_id
		if name, ok := f.next(); ok && !none(name) && name != "session-reused" {
			c.Name = name
		}
	}
	return handshake
}

// parseALBConnection reads a line of an Application Load Balancer's connection log.
func parseALBConnection(d *decoder, line string, c *evidence.Connection) verdict {
	f := fields{line}
	text, _ := f.next()
	var ok bool
	if c.Time, ok = d.time(text); !ok {
		return bad
	}
	client, _ := f.next()
	if c.Client, ok = d.client(client); !ok || !c.Client.IsValid() {
		return bad
	}
	for range 2 { // the ports of the client and the listener
		if port, ok := f.next(); !ok || !isNumber(port) {
			return bad
		}
	}
	protocol, _ := f.next()
	cipher, ok := f.next()
	if !ok {
		return bad
	}
	if c.Outcome.Version, ok = d.version(protocol); !ok {
		return bad
	}
	if c.Outcome.Suite, ok = d.suite(cipher); !ok {
		return bad
	}
	if !f.skip(4) { // tls_handshake_latency, subject, validity and serial number of the client's certificate
		return bad
	}
	status, ok := f.next()
	if !ok {
		return bad
	}
	if f.skip(1) { // conn_trace_id
		if group, ok := f.next(); ok {
			c.Outcome.Group, _ = d.group(group) // a new name does not spoil the line
			if elb, ok := f.next(); ok && !none(elb) {
				c.Server = elb
			}
		}
	}
	reason, failed := strings.CutPrefix(status, "Failed:")
	switch {
	case failed && reason != "":
		c.Outcome.Result, c.Outcome.Failure, c.Outcome.Cause = evidence.Failed, reason, mutualTLS()[reason].cause
	case status == "Success":
		c.Outcome.Result = evidence.Established
	case !none(status):
		return bad
	case c.Outcome.Version == 0: // a listener without TLS
		return plain
	default:
		c.Outcome.Result = evidence.Established
	}
	return handshake
}

// parseNLB reads a line of a Network Load Balancer's TLS log.
func parseNLB(d *decoder, line string, c *evidence.Connection) verdict {
	f := fields{line}
	if kind, _ := f.next(); kind != "tls" || !f.skip(1) || !d.begin(&f, c) || !f.skip(1) { // version of the log, listener
		return bad
	}
	client, _ := f.next()
	var ok bool
	if c.Client, ok = d.clientPort(client); !ok || !f.skip(2) { // destination, connection_time
		return bad
	}
	took, _ := f.next() // tls_handshake_time
	if !f.skip(2) {     // received_bytes, sent_bytes
		return bad
	}
	alert, _ := f.next()
	if !f.skip(2) { // chosen_cert_arn, chosen_cert_serial
		return bad
	}
	cipher, _ := f.next()
	protocol, ok := f.next()
	if !ok {
		return bad
	}
	if c.Outcome.Suite, ok = d.suite(cipher); !ok {
		return bad
	}
	if c.Outcome.Version, ok = d.version(protocol); !ok {
		return bad
	}
	group, _ := f.next()
	c.Outcome.Group, _ = d.group(group) // a new name does not spoil the line
	name, ok := f.next()
	if !ok {
		return bad
	}
	if !none(name) {
		c.Name = name
	}
	c.Outcome.Result = evidence.Established
	if none(took) || none(cipher) {
		c.Outcome.Result = evidence.Failed
		c.Outcome.Failure, c.Outcome.Cause = alertFailure(alert)
	}
	return handshake
}

func isNumber(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}
