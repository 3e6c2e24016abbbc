package diagnose

import (
	"crypto/rand"
	"fmt"

	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/hello"
)

// ClientSide is the client as the user named it.
type ClientSide struct {
	Name    string
	Kind    string          // "profile", "ciphers", "hello"
	Offer   hello.Offer     // without a server name, unless the hello is the user's own
	Profile *client.Profile // nil unless Kind is "profile"
	Hello   *hello.ClientHello
	Plain   []byte // what the client sent instead of a ClientHello, if it sent something else
}

// FromProfile is a known client.
func FromProfile(p *client.Profile) *ClientSide {
	return &ClientSide{Name: p.Name, Kind: "profile", Offer: *p.Offer(), Profile: p}
}

// FromHello is somebody's real ClientHello, to be replayed byte for byte.
func FromHello(name string, h *hello.ClientHello) *ClientSide {
	c := &ClientSide{Name: name, Kind: "hello", Offer: h.Offer(), Hello: h}
	c.Offer.Source = hello.Source{Kind: "hello", Name: name}
	return c
}

// FromOffer is a client of which only what it offers is known.
func FromOffer(name, kind string, o hello.Offer) *ClientSide {
	return &ClientSide{Name: name, Kind: kind, Offer: o}
}

// to returns the hello that this client sends to the server of that name. A user's own hello keeps its
// server_name; a profile that sends none keeps to that.
func (c *ClientSide) to(serverName string) (*hello.ClientHello, error) {
	if c.Hello != nil {
		return c.Hello, nil
	}
	o := c.offerTo(serverName)
	h, err := hello.Build(&o, rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("client %s: %w", c.Name, err)
	}
	return h, nil
}

func (c *ClientSide) offerTo(serverName string) hello.Offer {
	switch {
	case c.Hello != nil:
		return c.Offer
	case c.Profile != nil:
		return c.Profile.OfferTo(serverName)
	}
	o := c.Offer
	o.ServerName = serverName
	return o
}

// describe is the client in the report.
func (c *ClientSide) describe() Client {
	d := Client{Name: c.Name, Kind: c.Kind, Versions: noNil(c.Offer.Versions), Replayed: c.Hello != nil}
	if c.Profile != nil {
		d.Confidence = string(c.Profile.Confidence)
	}
	if c.Hello != nil {
		_, d.JA3 = c.Hello.JA3()
		d.JA4 = c.Hello.JA4()
	}
	return d
}

// remedies are the settings that are known to widen what the client offers.
func (c *ClientSide) remedies() []client.Remedy {
	if c.Profile == nil {
		return nil
	}
	return c.Profile.Remedies
}
