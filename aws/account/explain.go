package account

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/aws/smithy-go"
)

// Error is that AWS did not give what was asked for: one line that says what and what to do.
type Error struct {
	Code string // of the API: AccessDenied, Throttling …; empty where no answer came
	Text string
	err  error
}

func (e *Error) Error() string { return e.Text }

func (e *Error) Unwrap() error { return e.err }

// Explain puts an error of the SDK into one line. nil stays nil.
func Explain(err error) error {
	if err == nil {
		return nil
	}
	var operation string
	var op *smithy.OperationError
	if errors.As(err, &op) {
		operation = op.Operation() + ": "
	}
	var api smithy.APIError
	var known *Error
	var dial *net.OpError
	var late net.Error
	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{"", operation + "no answer in time", err}
	case errors.As(err, &api):
		return &Error{api.ErrorCode(), operation + describe(api), err}
	case errors.As(err, &late) && late.Timeout():
		return &Error{"", operation + "no answer in time", err}
	case errors.As(err, &dial):
		return &Error{"", operation + dial.Error(), err}
	case strings.Contains(err.Error(), "get identity") || strings.Contains(err.Error(), "credentials"):
		return &Error{"", operation + "no usable credentials: set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or sign in with aws sso login", err}
	}
	return &Error{"", operation + oneLine(err.Error()), err}
}

// describe words an answer of the API, with what to do about the frequent ones.
func describe(e smithy.APIError) string {
	text := oneLine(e.ErrorMessage())
	switch e.ErrorCode() {
	case "AccessDenied", "AccessDeniedException", "UnauthorizedOperation":
		return fmt.Sprintf("%s: %s (docs/aws.md has the IAM policies that Parley needs)", e.ErrorCode(), text)
	case "Throttling", "ThrottlingException", "RequestLimitExceeded":
		return fmt.Sprintf("%s: %s (tried %d times; try again later or ask for fewer regions)", e.ErrorCode(), text, maxAttempts)
	case "ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure":
		return fmt.Sprintf("%s: %s (sign in again: the credentials are not valid now)", e.ErrorCode(), text)
	}
	return e.ErrorCode() + ": " + text
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
