package elbapi

import (
	"context"
	"net/http"
	"reflect"
	"time"

	"github.com/parley-tls/parley/elbapi/query"
	"github.com/parley-tls/parley/elbapi/sigv4"
	"github.com/parley-tls/parley/elbapi/store"
)

// API is one version of a service that speaks the Query protocol.
type API struct {
	Service   string // as in credential scopes: elasticloadbalancing
	Version   string // 2015-12-01
	Namespace string // of the answers' XML
	Style     query.Style
	Actions   []Action
}

// Action is one action of an API.
type Action struct {
	Name          string
	Input, Output reflect.Type // structs
	run           func(*Call, *query.Values) (any, error)
}

// Do makes an action of a function. The parameters are read into In by query.Values.Decode, and Out is written by
// query.Result.
func Do[In, Out any](name string, f func(*Call, *In) (*Out, error)) Action {
	return Action{
		Name: name, Input: reflect.TypeFor[In](), Output: reflect.TypeFor[Out](),
		run: func(c *Call, v *query.Values) (any, error) {
			var in In
			if err := v.Decode(&in); err != nil {
				return nil, err
			}
			out, err := f(c, &in)
			if err != nil {
				return nil, err
			}
			return out, nil
		},
	}
}

// Call is one request, once it is known whose it is.
type Call struct {
	ID      string // of the request
	Account string
	Region  string
	Service string
	Version string // of the API
	Action  string
	Key     sigv4.Key
	Now     time.Time
	Store   *store.Store
	Body    []byte // the whole body
}

// View reads what the caller has in the region; f must not change it.
func (c *Call) View(f func(*store.Region) error) error { return c.Store.View(c.Account, c.Region, f) }

// Update changes what the caller has in the region; f must check everything before it changes anything.
func (c *Call) Update(f func(*store.Region) error) error {
	return c.Store.Update(c.Account, c.Region, f)
}

// View is Call.View with an answer.
func View[Out any](c *Call, f func(*store.Region) (*Out, error)) (out *Out, err error) {
	err = c.View(func(r *store.Region) error {
		out, err = f(r)
		return err
	})
	return out, err
}

// Update is Call.Update with an answer.
func Update[Out any](c *Call, f func(*store.Region) (*Out, error)) (out *Out, err error) {
	err = c.Update(func(r *store.Region) error {
		out, err = f(r)
		return err
	})
	return out, err
}

type callKey struct{}

// CallOf returns the call that a handler in Options.Others was asked for.
func CallOf(r *http.Request) *Call {
	c, _ := r.Context().Value(callKey{}).(*Call)
	return c
}

func withCall(r *http.Request, c *Call) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), callKey{}, c))
}
