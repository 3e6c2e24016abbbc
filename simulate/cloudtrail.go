package simulate

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

var cloudtrailActions = map[string]func(*Cloud, *call) (tree, error){
	"LookupEvents": (*Cloud).lookupEvents,
}

// maxEvents bounds the history of a region; the oldest that changed nothing go first.
const maxEvents = 10000

// kept is how long AWS keeps the history of events.
const kept = 90 * 24 * time.Hour

// attributes of an event by which it can be looked up. Source: LookupAttribute in the CloudTrail API reference.
var attributes = map[string]func(event tree) []string{
	"EventId":      func(e tree) []string { return []string{e.text("EventId")} },
	"EventName":    func(e tree) []string { return []string{e.text("EventName")} },
	"ReadOnly":     func(e tree) []string { return []string{e.text("ReadOnly")} },
	"Username":     func(e tree) []string { return []string{e.text("Username")} },
	"EventSource":  func(e tree) []string { return []string{e.text("EventSource")} },
	"AccessKeyId":  func(e tree) []string { return []string{e.text("AccessKeyId")} },
	"ResourceType": func(e tree) []string { return reach(e, []string{"Resources", "ResourceType"}) },
	"ResourceName": func(e tree) []string { return reach(e, []string{"Resources", "ResourceName"}) },
}

func (c *Cloud) lookupEvents(k *call) (tree, error) {
	wanted := k.in.trees("LookupAttributes")
	from, bounded := k.in.when("StartTime")
	to, ends := k.in.when("EndTime")
	size, bad := k.in.sizeOf("MaxResults", 1, 50, 50)
	switch {
	case bad:
		return nil, refuse("InvalidMaxResultsException", "A valid value for MaxResults is between 1 and 50.")
	case len(wanted) > 1:
		return nil, refuse("InvalidLookupAttributesException", "Only one lookup attribute may be specified.")
	case bounded && ends && !from.Before(to):
		return nil, refuse("InvalidTimeRangeException", "The start time must be before the end time.")
	}
	var value func(tree) []string
	if len(wanted) == 1 {
		if value = attributes[wanted[0].text("AttributeKey")]; value == nil {
			return nil, refuse("InvalidLookupAttributesException", "%s is not a lookup attribute.", wanted[0].text("AttributeKey"))
		}
	}
	if oldest := c.now().Add(-kept); from.Before(oldest) {
		from = oldest
	}
	var found []tree
	for _, e := range slices.Backward(k.region.events) { // the newest first
		at, _ := e.when("EventTime")
		if at.Before(from) || ends && at.After(to) || value != nil && !slices.Contains(value(e), wanted[0].text("AttributeValue")) {
			continue
		}
		found = append(found, e)
	}
	part, next, ok := page(found, k.in.text("NextToken"), size)
	if !ok {
		return nil, refuse("InvalidNextTokenException", "The token is invalid.")
	}
	out := tree{"Events": list(part)}
	if next != "" {
		out["NextToken"] = next
	}
	return out, nil
}

// recorded is a request that goes into the history.
type recorded struct {
	readOnly        bool
	source, version string // elasticloadbalancing.amazonaws.com, 2015-12-01
	action          string
	request, answer tree // by the names that events have
	failed          *fault
	resources       []tree // ResourceType and ResourceName
}

// record writes a request into the history. c is locked.
func (c *Cloud) record(k *call, ch recorded) {
	at, id := c.now().UTC().Truncate(time.Second), newID()
	// Names and shape as in "CloudTrail record contents" of the CloudTrail user guide, event version 1.11.
	detail := tree{
		"eventVersion": "1.11", "userIdentity": k.who.inEvent(), "eventTime": stamp(at), "eventSource": ch.source, "eventName": ch.action,
		"awsRegion": k.region.name, "sourceIPAddress": strings.Trim(k.request.RemoteAddr[:max(0, strings.LastIndexByte(k.request.RemoteAddr, ':'))], "[]"),
		"userAgent": k.request.UserAgent(), "requestParameters": ch.request, "requestID": k.id, "eventID": id, "readOnly": ch.readOnly,
		"eventType": "AwsApiCall", "apiVersion": ch.version, "managementEvent": true, "recipientAccountId": k.who.account.id, "eventCategory": "Management",
	}
	if len(ch.request) == 0 {
		detail["requestParameters"] = nil
	}
	detail["responseElements"] = nil
	if ch.failed != nil {
		detail["errorCode"], detail["errorMessage"] = ch.failed.code, ch.failed.message
	} else if len(ch.answer) > 0 {
		detail["responseElements"] = ch.answer
	}
	text, err := json.Marshal(detail)
	if err != nil {
		return // cannot be: the trees are read out of a request and an answer
	}
	event := tree{
		"EventId": id, "EventName": ch.action, "ReadOnly": plain(ch.readOnly), "AccessKeyId": k.who.key, "EventTime": at, "EventSource": ch.source,
		"Username": k.who.name, "Resources": list(ch.resources), "CloudTrailEvent": string(text),
	}
	k.region.events = append(k.region.events, event)
	if len(k.region.events) > maxEvents {
		oldest := max(0, slices.IndexFunc(k.region.events, readOnly))
		k.region.events = slices.Delete(k.region.events, oldest, oldest+1)
	}
}

func readOnly(event tree) bool { return event.text("ReadOnly") == "true" }

// inEvent is who did something, as events say it.
func (w *identity) inEvent() tree {
	t := tree{"type": "IAMUser", "principalId": w.id, "arn": w.arn, "accountId": w.account.id, "accessKeyId": w.key, "userName": w.name}
	if w.role == nil {
		return t
	}
	t["type"] = "AssumedRole"
	delete(t, "userName")
	t["sessionContext"] = tree{"sessionIssuer": tree{"type": "Role", "principalId": w.role.id, "arn": "arn:aws:iam::" + w.account.id + ":role/" + w.role.name,
		"accountId": w.account.id, "userName": w.role.name},
		"attributes": tree{"creationDate": stamp(w.since), "mfaAuthenticated": "false"}}
	return t
}
