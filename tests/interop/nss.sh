#!/bin/bash
# PURPOSE HOST ROOT CHAIN KEY: the verdict of NSS, of both its verifiers: certutil asks the classic one,
# vfychain -pp libpkix. What one of them refuses is refused. Neither looks at host names.
set -euo pipefail
purpose=$1 root=$3 chain=$4
declare -A classic=([server]=V [client]=C) pkix=([server]=1 [client]=0)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
db=sql:$work
certutil -N -d "$db" --empty-password
# Trusted as the issuer of servers (C) and of clients (T).
certutil -A -d "$db" -n root -t CT,, -a -i "$root"

# A file for each certificate; the first is the one to be judged.
awk -v at="$work" '/BEGIN/ { n++ } { print > (at "/" n ".pem") }' "$chain"
files=()
for ((i = 1; i <= $(grep -c BEGIN "$chain"); i++)); do
    # What it cannot read it does not take in.
    said=$(certutil -A -d "$db" -n "$i" -t ,, -a -i "$work/$i.pem" 2>&1) || { echo "certutil -A: $said" && exit 1; }
    files+=(-a "$work/$i.pem")
done

if ! said=$(certutil -V -d "$db" -n 1 -e -u "${classic[$purpose]}" 2>&1); then
    grep -q 'certificate is invalid' <<<"$said" || { echo "$said" && exit 2; }
    echo "classic: ${said//$'\n'/ }"
    exit 1
fi
if ! said=$(vfychain -pp -d "$db" -u "${pkix[$purpose]}" "${files[@]}" 2>&1); then
    grep -q 'Chain is bad' <<<"$said" || { echo "$said" && exit 2; }
    echo "libpkix: ${said//$'\n'/ }"
    exit 1
fi
