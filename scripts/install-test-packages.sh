#!/usr/bin/env bash
# Installs the Debian packages whose programs the tests drive; skips what is there.
# Usage: install-test-packages.sh [PROGRAM...]   (default: all of them)
# Needs root; fails loudly without it. Nothing here is needed to run a node.
set -euo pipefail

declare -A package_of=(
  # Without a font, text has no size and a page looks empty to its test.
  [chromium]='chromium fonts-dejavu-core'
  [curl]=curl
  # Only the benchmark of the log needs it.
  [etcd]=etcd-server
  [haproxy]=haproxy
  # Sends the operator's calls as its users do.
  [http]=httpie
  [ip]=iproute2
  [nginx]=nginx-light
  [nc]=netcat-openbsd
  [nsenter]=util-linux
  [openssl]=openssl
  [php]=php-cli
  [ps]=procps
  [script]=bsdutils
  [strace]=strace
  [python3]=python3
  [ruby]=ruby
  [taskset]=util-linux
)

programs=("$@")
[ ${#programs[@]} -gt 0 ] || programs=("${!package_of[@]}")

wanted=()
for program in "${programs[@]}"; do
  package=${package_of[$program]:?"$program is not a program that the tests use"}
  read -ra packages <<<"$package"
  command -v "$program" >/dev/null || wanted+=("${packages[@]}")
done

if [ ${#wanted[@]} -eq 0 ]; then
  echo "test packages: everything is there (${programs[*]})"
  exit 0
fi

if [ "$(id -u)" -ne 0 ]; then
  echo "test packages: ${wanted[*]} missing, and only root can install them" >&2
  exit 1
fi

echo "test packages: installing ${wanted[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null

for program in "${programs[@]}"; do
  command -v "$program" >/dev/null || { echo "test packages: $program is still missing" >&2; exit 1; }
done
