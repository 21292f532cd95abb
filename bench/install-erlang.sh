#!/bin/sh
# Installs Erlang for the benchmark where that can be done without a question. When
# it cannot be done the benchmark goes on without global and pg, and says so.
command -v erl >/dev/null && command -v epmd >/dev/null && exit 0
say() { echo "bench: $1: global and pg will NOT be measured" >&2; exit 0; }
command -v apt-get >/dev/null || say "erl is missing, and there is no apt-get"
run=
[ "$(id -u)" = 0 ] || run="sudo -n"
export DEBIAN_FRONTEND=noninteractive
install() { $run apt-get install -y --no-install-recommends erlang-nox >&2; }
install || { $run apt-get update >&2 && install; } || say "erlang-nox could not be installed"
