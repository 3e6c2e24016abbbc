#!/usr/bin/env bash
# Holds the code against gofmt, go vet and staticcheck, and its modules against the Go vulnerability
# database. The linters are tools of tools/go.mod, so the product's own go.mod stays clean of them.
# Where the database can't be reached, that is said and nothing is claimed; VULNDB=file:///DIR names a copy.
set -uo pipefail
cd "$(dirname "$0")/.."

status=0
fail() { echo "lint: $*" >&2; status=1; }
tool() { go tool -modfile=tools/go.mod "$@"; }

badly=$(git ls-files -z '*.go' | xargs -0 gofmt -l) || fail "gofmt could not read the code"
[[ -z $badly ]] || fail "not as gofmt writes it:"$'\n'"$badly"
go vet ./... || fail "go vet found something"
tool staticcheck ./... || fail "staticcheck found something"

output=$(tool govulncheck ${VULNDB:+-db "$VULNDB"} ./... 2>&1)
case $? in
0) ;;
3) fail "govulncheck found vulnerabilities:"$'\n'"$output" ;;
*)
  if [[ $output == *"fetching vulnerabilities"* ]]; then
    echo "lint: vulnerabilities NOT checked: the database can't be reached (VULNDB=file:///DIR names a copy)" >&2
    echo "lint: ${output##*$'\n'}" >&2
  else
    fail "govulncheck failed:"$'\n'"$output"
  fi
  ;;
esac
exit $status
