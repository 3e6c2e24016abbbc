package simulate

import (
	"fmt"
	"net/http"

	"github.com/parley-tls/parley/elbapi/query"
)

// fault is an error as AWS's API answers it.
type fault struct {
	code    string
	message string
	status  int
	// shape is the name of the error in the service's model where that is not the code: CloudWatch's CBOR and JSON send it.
	shape string
}

func (f *fault) Error() string { return f.code + ": " + f.message }

// refuse is the error that a service answers a request with that is wrong.
func refuse(code, format string, args ...any) *fault {
	return &fault{code: code, message: fmt.Sprintf(format, args...), status: http.StatusBadRequest}
}

// dialect is the family of a service's error codes for what every service can say.
type dialect string

const (
	queryErrors dialect = "query" // STS, IAM, Elastic Load Balancing, CloudWatch
	ec2Errors   dialect = "ec2"
	jsonErrors  dialect = "json" // ACM, CloudTrail
)

// Common errors. Their codes and states are from "Common errors" of each service's API reference.

func (d dialect) throttled() *fault {
	switch d {
	case ec2Errors:
		return &fault{code: "RequestLimitExceeded", message: "Request limit exceeded.", status: http.StatusServiceUnavailable}
	case jsonErrors:
		return refuse("ThrottlingException", "Rate exceeded")
	}
	return refuse("Throttling", "Rate exceeded")
}

func (d dialect) denied(who *identity, action string) *fault {
	text := fmt.Sprintf("User: %s is not authorized to perform: %s because no identity-based policy allows the %[2]s action", who.arn, action)
	switch d {
	case ec2Errors:
		return &fault{code: "UnauthorizedOperation", message: "You are not authorized to perform this operation. " + text, status: http.StatusForbidden}
	case jsonErrors:
		return refuse("AccessDeniedException", "%s", text)
	}
	return &fault{code: "AccessDenied", message: text, status: http.StatusForbidden}
}

func (d dialect) unsigned() *fault {
	switch d {
	case ec2Errors:
		return &fault{code: "MissingParameter", message: "The request must contain the parameter AWSAccessKeyId", status: http.StatusBadRequest}
	case jsonErrors:
		return refuse("MissingAuthenticationTokenException", "Missing Authentication Token")
	}
	return &fault{code: "MissingAuthenticationToken", message: "Request is missing Authentication Token", status: http.StatusForbidden}
}

func (d dialect) unknownKey() *fault {
	switch d {
	case ec2Errors:
		return &fault{code: "AuthFailure", message: "AWS was not able to validate the provided access credentials", status: http.StatusUnauthorized}
	case jsonErrors:
		return refuse("UnrecognizedClientException", "The security token included in the request is invalid.")
	}
	return &fault{code: "InvalidClientTokenId", message: "The security token included in the request is invalid.", status: http.StatusForbidden}
}

func (d dialect) expired() *fault {
	switch d {
	case ec2Errors:
		return refuse("RequestExpired", "Request has expired.")
	case jsonErrors:
		return refuse("ExpiredTokenException", "The security token included in the request is expired")
	}
	return &fault{code: "ExpiredToken", message: "The security token included in the request is expired", status: http.StatusForbidden}
}

// badSignature is what is wrong with a signature in the words of the service.
func (d dialect) badSignature(err error) *fault {
	e := query.AsError(err)
	switch e.Code {
	case "MissingAuthenticationToken":
		return d.unsigned()
	case "InvalidClientTokenId":
		return d.unknownKey()
	case "ExpiredToken":
		return d.expired()
	}
	f := &fault{code: e.Code, message: e.Message, status: e.HTTPStatus()}
	switch {
	case d == ec2Errors && e.Code == "SignatureDoesNotMatch":
		return d.unknownKey()
	case d == jsonErrors && e.Code == "SignatureDoesNotMatch":
		f.code, f.status = "InvalidSignatureException", http.StatusBadRequest
	case d == jsonErrors && e.Code == "IncompleteSignature":
		f.code, f.status = "IncompleteSignatureException", http.StatusBadRequest
	}
	return f
}

func (d dialect) unknownAction(action, version string) *fault {
	switch d {
	case ec2Errors:
		return refuse("InvalidAction", "The action %s is not valid for this web service.", action)
	case jsonErrors:
		return refuse("UnknownOperationException", "")
	}
	return refuse("InvalidAction", "Could not find operation %s for version %s", action, version)
}
