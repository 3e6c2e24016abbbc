package accesslog

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"

	"github.com/parley-tls/parley/evidence"
)

// field is what a variable says.
type field uint8

// The fields. noField is a variable that says nothing of TLS.
const (
	noField field = iota
	timeField
	clientField
	portField
	serverField
	nameField
	agentField
	requestField
	versionField
	cipherField
	groupField
	helloVersionField
	offeredCiphersField
	offeredGroupsField
	offeredExtensionsField
	ja3Field
	errorField
	reasonField
	codeField
	fieldCount
)

var fieldNames = map[string]field{"time": timeField, "client": clientField, "port": portField, "server": serverField, "name": nameField, "agent": agentField,
	"request": requestField, "version": versionField, "cipher": cipherField, "group": groupField, "hello-version": helloVersionField,
	"offered-ciphers": offeredCiphersField, "offered-groups": offeredGroupsField, "offered-extensions": offeredExtensionsField, "ja3": ja3Field,
	"error": errorField, "reason": reasonField, "code": codeField}

// saysTLS reports whether a line with the field tells of TLS.
func (f field) saysTLS() bool { return tlsFields&(1<<f) != 0 }

//go:embed variables.tsv
var variablesTSV string

// variables are the fields of the names that users log.
var variables = sync.OnceValue(func() map[string]field {
	m := map[string]field{}
	for f := range records(variablesTSV, 3) {
		known, ok := fieldNames[f[1]]
		if _, twice := m[f[0]]; !ok || twice {
			panic("accesslog: variables.tsv: " + f[0])
		}
		m[f[0]] = known
	}
	return m
})

// values are the fields of one line, in the texts of the line. Present has a bit for each field that the line has,
// with a value or without.
type values struct {
	text    [fieldCount]string
	present uint32
}

// set notes a value. The first of a field stands, unless it says nothing.
func (v *values) set(f field, text string) {
	v.present |= 1 << f
	if v.text[f] == "" || none(v.text[f]) {
		v.text[f] = text
	}
}

func (v *values) has(f field) bool { return v.present&(1<<f) != 0 }

// The sets of fields that say something of TLS, of the offer and of a failure, as bits of values.present.
const (
	offerFields   = 1<<helloVersionField | 1<<offeredCiphersField | 1<<offeredGroupsField | 1<<offeredExtensionsField | 1<<ja3Field
	failureFields = 1<<errorField | 1<<reasonField | 1<<codeField
	tlsFields     = 1<<versionField | 1<<cipherField | 1<<groupField | offerFields | failureFields&^(1<<reasonField)
)

// connection reads the values of a line.
func (d *decoder) connection(v *values, c *evidence.Connection) verdict {
	if v.present&tlsFields == 0 {
		return bad
	}
	var ok [5]bool
	c.Client, ok[0] = d.client(v.text[clientField])
	c.Outcome.Version, ok[1] = d.version(v.text[versionField])
	c.Outcome.Suite, ok[2] = d.suite(v.text[cipherField])
	c.Outcome.Group, ok[3] = d.group(v.text[groupField])
	c.Offered, ok[4] = d.offered(v)
	if ok != [5]bool{true, true, true, true, true} {
		return bad
	}
	if text := v.text[timeField]; !none(text) {
		if c.Time, ok[0] = d.time(text); !ok[0] {
			return bad
		}
	}
	if s := v.text[serverField]; !none(s) {
		c.Server = strings.TrimSuffix(s, "~") // HAProxy marks a frontend of TLS so
	}
	if s := v.text[nameField]; !none(s) {
		c.Name = s
	}
	switch {
	case failureOf(v, &c.Outcome):
		c.Outcome.Result = evidence.Failed
	case c.Outcome.Version != 0 || c.Outcome.Suite != 0:
		c.Outcome.Result = evidence.Established
		if s := v.text[agentField]; !none(s) {
			c.UserAgent = s
		}
		c.Request = v.has(requestField) || v.has(agentField)
	default:
		return plain
	}
	return handshake
}

// failureOf reads what a line says of a failure of the handshake; false where it says of none.
func failureOf(v *values, o *evidence.Outcome) bool {
	if v.present&failureFields == 0 {
		return false
	}
	if text := v.text[errorField]; !none(text) {
		o.Failure, o.Cause = opensslFailure(text)
		return true
	}
	if code := errorCode(v.text[codeField]); code != 0 {
		o.Failure, o.Cause = reasonFailure(code)
		return true
	}
	if text := v.text[reasonField]; !none(text) && strings.Contains(text, "SSL") {
		o.Failure = text
		return true
	}
	return false
}

// errorCode reads the number of an OpenSSL error: HAProxy's ssl_fc_err in decimal, or 16 digits by its converter hex. It
// returns 0 for anything else.
func errorCode(s string) uint64 {
	if none(s) || s == "0" || s == "0000000000000000" { // most lines
		return 0
	}
	base := 10
	if len(s) == 16 {
		base = 16
	}
	n, err := strconv.ParseUint(s, base, 64)
	if err != nil {
		return 0
	}
	return n
}
