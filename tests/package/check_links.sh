#!/bin/sh
# check_links.sh SOURCE PREFIX DOC: the files that the installed README and docs name are there: docs/ and examples/ in DOC beside the
# README, headers in PREFIX, all others in the source tree (which the README says). Names are words in backticks with a slash in them.
set -eu
source=$1
prefix=$2
doc=$3
bad=$(mktemp)
trap 'rm -f "$bad"' EXIT

# {a,b} and patterns are the shell's business.
exists() {
  for found in $1; do [ -e "$found" ] || return 1; done
}

find "$doc" -name '*.md' | while read -r page; do
  # shellcheck disable=SC2016 # backticks on purpose
  awk '/^```/ { inside = !inside; next } !inside' "$page" | grep -oE '`[.a-zA-Z0-9_-]+/[^` ]*' | tr -d '`' | sort -u | while read -r name; do
    case $name in
      build/* | *'<'*) continue ;;  # is built, or a placeholder
      docs/* | examples/*) found=$doc/$name ;;
      include/sinter/*) found=$prefix/$name ;;
      *) found=$source/$name ;;
    esac
    exists "$found" || echo "$(basename "$page"): $name: there is no $found" | tee -a "$bad"
  done
done
[ ! -s "$bad" ]
