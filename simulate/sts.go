package simulate

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

var stsActions = map[string]func(*Cloud, *call) (tree, error){
	"GetCallerIdentity": (*Cloud).getCallerIdentity,
	"AssumeRole":        (*Cloud).assumeRole,
}

func (c *Cloud) getCallerIdentity(k *call) (tree, error) {
	return tree{"Account": k.who.account.id, "Arn": k.who.arn, "UserId": k.who.id}, nil
}

// Bounds of a session's length, in seconds. Source: AssumeRole in the STS API reference.
const (
	shortestSession = 900
	longestSession  = 43200
	defaultSession  = 3600
)

var (
	roleARN     = regexp.MustCompile(`^arn:aws[a-z-]*:iam::(\d{12}):role/(?:[\x21-\x7e]*/)?([\w+=,.@-]{1,64})$`)
	sessionName = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
)

func (c *Cloud) assumeRole(k *call) (tree, error) {
	arn, session, length := k.in.text("RoleArn"), k.in.text("RoleSessionName"), float64(defaultSession)
	if n, ok := k.in.number("DurationSeconds"); ok {
		length = n
	}
	parts := roleARN.FindStringSubmatch(arn)
	switch {
	case parts == nil:
		return nil, refuse("ValidationError", "%s is invalid", arn)
	case !sessionName.MatchString(session):
		return nil, refuse("ValidationError", "1 validation error detected: Value '%s' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*", session)
	case length < shortestSession || length > longestSession:
		return nil, refuse("ValidationError", "1 validation error detected: Value '%v' at 'durationSeconds' failed to satisfy constraint: Member must have value between %d and %d", length, shortestSession, longestSession)
	}
	a := c.accounts[parts[1]]
	var r *role
	if a != nil {
		r = a.roles[parts[2]]
	}
	if r == nil || len(r.trusts) > 0 && !slices.Contains(r.trusts, k.who.account.id) {
		f := queryErrors.denied(k.who, "sts:AssumeRole")
		f.message = fmt.Sprintf("User: %s is not authorized to perform: sts:AssumeRole on resource: %s", k.who.arn, arn)
		return nil, f
	}
	who := &identity{
		account: a, role: r, name: session, deny: r.deny, id: r.id + ":" + session,
		arn: fmt.Sprintf("arn:aws:sts::%s:assumed-role/%s/%s", a.id, r.name, session),
		key: newName("ASIASIMULATED", 7), secret: "simulated-" + strings.ToLower(newName("", 30)), token: "simulated-" + newName("", 86),
		since: c.now(), expires: c.now().Add(time.Duration(length) * time.Second),
	}
	if err := c.keep(who); err != nil {
		return nil, err
	}
	return tree{
		"Credentials":     tree{"AccessKeyId": who.key, "SecretAccessKey": who.secret, "SessionToken": who.token, "Expiration": who.expires},
		"AssumedRoleUser": tree{"Arn": who.arn, "AssumedRoleId": who.id},
	}, nil
}

// keep takes new temporary credentials in, and throws away those that expired long ago.
func (c *Cloud) keep(who *identity) error {
	for key, old := range c.keys {
		if !old.expires.IsZero() && c.now().After(old.expires.Add(time.Hour)) {
			delete(c.keys, key)
		}
	}
	c.keys[who.key] = who
	return c.addKey(who)
}

// ExpireSessions makes all temporary credentials expire now.
func (c *Cloud) ExpireSessions() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, who := range c.keys {
		if who.role == nil {
			continue
		}
		who.expires = c.now().Add(-time.Second)
		if err := c.addKey(who); err != nil {
			return err
		}
	}
	return nil
}
