#!/bin/bash
# PURPOSE HOST ROOT CHAIN KEY: GnuTLS's verdict, by its own program.
set -euo pipefail
purpose=$1 host=$2 root=$3 chain=$4
declare -A oid=([server]=1.3.6.1.5.5.7.3.1 [client]=1.3.6.1.5.5.7.3.2)

args=(--verify-purpose "${oid[$purpose]}" --load-ca-certificate "$root" --infile "$chain")
[[ $host == - ]] || args+=(--verify-hostname "$host")
said=$(certtool --verify "${args[@]}" 2>&1) && exit 0
# What is wrong with the chain as a whole comes last.
grep -E 'Not verified\.|unsupported critical' <<<"$said" | tail -1 && exit 1
echo "$said"
exit 2
