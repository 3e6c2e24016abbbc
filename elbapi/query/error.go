package query

import (
	"errors"
	"fmt"
	"net/http"
)

// Error is a failure as the API reports it.
type Error struct {
	Code    string
	Message string
	Status  int // HTTP; 0 is 400
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// HTTPStatus is the status the answer has.
func (e *Error) HTTPStatus() int {
	if e.Status == 0 {
		return http.StatusBadRequest
	}
	return e.Status
}

// Fail makes an error with status 400, which nearly all of the API's errors have.
func Fail(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Invalid makes the error for input that breaks a rule which the service checks before anything else.
func Invalid(format string, args ...any) *Error { return Fail("ValidationError", format, args...) }

// AsError returns err as the API reports it: failures that are not an *Error are the service's own.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: "InternalFailure", Message: err.Error(), Status: http.StatusInternalServerError}
}
