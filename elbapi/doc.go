// Package elbapi is the control plane of load balancers: it answers the AWS Query protocol as Elastic Load Balancing does, so
// that the AWS CLI, SDKs and Terraform work against it unchanged.
//
//	HTTP request ► query (parameters) ► sigv4 (who, region) ► Server (limits, faults, log) ► Action ► store ► query (XML)
//
// The parts:
//
//   - elbapi/query reads parameters into structs and writes structs as XML,
//   - elbapi/sigv4 checks AWS Signature Version 4,
//   - elbapi/store keeps what accounts have, in memory and in a file,
//   - elbapi itself routes a request to the API that its version and credential scope name, limits its rate, injects faults on
//     demand and keeps count of every call,
//   - elbapi/elbv2 is the API 2015-12-01 (Application, Network and Gateway Load Balancers), elbapi/classic the API 2012-06-01,
//   - elbapi/modeltest compares an API with AWS's own description of it.
//
// An API is a value: a list of actions, each a function from a typed input to a typed output. A server takes any number:
//
//	s := elbapi.New(store, elbapi.Options{}, elbv2.API(), classic.API())
//	http.Serve(listener, s)
//
// An action reads what an account has in a region within elbapi.View, or changes it within elbapi.Update, which checks everything
// before it changes anything: an answer without an error means that the change is in the store and, where the store has a file,
// on disk. Whoever serves traffic by what the store says waits for store.Changed.
//
// Errors that a caller can cause are *query.Error with AWS's code and status; any other is a fault of this server and is
// answered with InternalFailure.
package elbapi
