// Package watch puts the negotiations of a capture together: by the client's fingerprint and the server, with what was
// chosen, and the cause of those that failed.
package watch

import (
	"time"

	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/evidence"
	"github.com/parley-tls/parley/suite"
)

// Schema names the shape of a Report in JSON; docs/schema/watch.schema.json describes it.
const Schema = "parley/watch/1"

// EventSchema names the shape of an Event in JSON; docs/schema/negotiation.schema.json describes it.
const EventSchema = "parley/negotiation/1"

// Report is the answer of `parley watch`: text and JSON are both made from it.
type Report struct {
	Schema       string    `json:"schema"`
	Source       string    `json:"source"` // the file or the interface
	Packets      int       `json:"packets"`
	Dropped      *int      `json:"dropped,omitempty"` // live: packets that the kernel had no room for
	From         time.Time `json:"from,omitzero"`
	To           time.Time `json:"to,omitzero"`
	Negotiations int       `json:"negotiations"`
	Established  int       `json:"established"`
	Failed       int       `json:"failed"`
	Unfinished   int       `json:"unfinished"` // the capture begins too late or ends too early to tell
	Hellos       int       `json:"hellos"`     // ClientHellos: a HelloRetryRequest makes two of a negotiation
	Partial      int       `json:"partial"`    // connections of which only a part of the hello was captured
	Beyond       int       `json:"beyond"`     // negotiations of groups for which there was no room
	Warnings     []string  `json:"warnings"`
	Groups       []Group   `json:"groups"` // those that fail first
}

// Group is one kind of client at one server.
type Group struct {
	JA4          string         `json:"ja4,omitempty"`
	Nearest      *Client        `json:"nearest_client,omitempty"`
	Server       string         `json:"server"` // address:port
	StartTLS     string         `json:"starttls,omitempty"`
	Negotiations int            `json:"negotiations"`
	Failed       int            `json:"failed"`
	Unfinished   int            `json:"unfinished"`
	Chosen       []Chosen       `json:"chosen"`
	Failures     []Failure      `json:"failures"`
	Clients      []string       `json:"clients"` // a few of the addresses
	Names        []string       `json:"server_names"`
	First        time.Time      `json:"first_seen"`
	Last         time.Time      `json:"last_seen"`
	Hello        evidence.Bytes `json:"client_hello,omitempty"` // of the first that failed, else of the first
}

// Client is the known client that comes nearest to a hello.
type Client struct {
	Name    string   `json:"name"`
	Title   string   `json:"title"`
	Exact   bool     `json:"exact"`
	Also    []string `json:"also,omitempty"`    // others that are just as near
	Differs []string `json:"differs,omitempty"` // in what it is not the same
	profile *client.Profile
}

// Chosen is what a server chose, and how often.
type Chosen struct {
	Version suite.Version `json:"version,omitempty"`
	Suite   suite.Code    `json:"cipher,omitzero"`
	Group   suite.Group   `json:"group,omitempty"`
	Count   int           `json:"count"`
}

// Failure is one way in which negotiations of a group failed.
type Failure struct {
	Seen   string           `json:"seen"`
	Count  int              `json:"count"`
	Causes []diagnose.Cause `json:"causes"` // most probable first
	Fixes  []diagnose.Fix   `json:"fixes,omitempty"`
	Client string           `json:"client,omitempty"`
	At     time.Time        `json:"at"` // of the first
	Packet int              `json:"packet,omitempty"`
}

// Event is one negotiation, as it happens.
type Event struct {
	Schema   string    `json:"schema"`
	Time     time.Time `json:"time"`
	Client   string    `json:"client"`
	Server   string    `json:"server"`
	Name     string    `json:"server_name,omitempty"`
	JA4      string    `json:"ja4,omitempty"`
	Nearest  *Client   `json:"nearest_client,omitempty"`
	StartTLS string    `json:"starttls,omitempty"`
	Retried  bool      `json:"hello_retry,omitempty"`
	evidence.Outcome
	Causes []diagnose.Cause `json:"causes"`
	Fixes  []diagnose.Fix   `json:"fixes,omitempty"` // for the likeliest cause, where no further question is open
	Hello  evidence.Bytes   `json:"client_hello,omitempty"`
	// Diagnosis is what a live diagnosis with the same hello came to; only a relay makes one.
	Diagnosis *diagnose.Diagnosis `json:"diagnosis,omitempty"`
}

// ClientOf names the known client that a likeness found, nil for none.
func clientOf(l client.Likeness, ok bool) *Client {
	if !ok {
		return nil
	}
	c := &Client{Name: l.Profile.Name, Title: l.Profile.Title, Exact: l.Exact, Differs: l.Differs, profile: l.Profile}
	for _, p := range l.Also {
		if len(c.Also) == 4 {
			break
		}
		c.Also = append(c.Also, p.Name)
	}
	return c
}

// Profile is the profile of the client where its hello is exactly that, else nil.
func (c *Client) Profile() *client.Profile {
	if c == nil || !c.Exact || len(c.Also) > 0 {
		return nil
	}
	return c.profile
}
