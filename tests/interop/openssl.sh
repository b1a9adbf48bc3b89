#!/bin/bash
# PURPOSE HOST ROOT CHAIN KEY: OpenSSL's verdict, by its own program and its strict rules.
set -euo pipefail
purpose=$1 host=$2 root=$3 chain=$4

args=(-x509_strict -purpose "ssl$purpose" -CAfile "$root" -no-CApath -no-CAstore -untrusted "$chain")
if [[ $host == *[0-9].[0-9]* ]]; then
    args+=(-verify_ip "$host")
elif [[ $host != - ]]; then
    args+=(-verify_hostname "$host")
fi
# Only the first certificate of the file is judged.
said=$(openssl verify "${args[@]}" "$chain" 2>&1) && exit 0
grep -m1 '^error [0-9]' <<<"$said" && exit 1
echo "$said"
exit 2
