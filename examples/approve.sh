#!/bin/sh
# Approves a sign-in as a user, without a browser, such as in a test of a deployment:
#
#   EMAIL=ada@example.com PASSWORD=… sh approve.sh http://127.0.0.1:8080 CODE SCOPE...
#
# It fills in the pages for sign-in, code and consent, and approves these scopes alone.
set -eu

host=$1 code=$2
shift 2
cookies=$(mktemp)
trap 'rm -f "$cookies"' EXIT

page() {
    curl --fail --silent --show-error --location --header "Origin: $host" \
        --cookie "$cookies" --cookie-jar "$cookies" "$@"
}

# The value of a hidden field of the page on standard input.
field() { sed -n "s/.* name=\"$1\" value=\"\([^\"]*\)\".*/\1/p" | sed 1q; }

csrf=$(page "$host/login" | field csrf)
# Other users of the machine can see arguments, but not standard input.
printf %s "$PASSWORD" | page --output /dev/null --data-urlencode "csrf=$csrf" \
    --data-urlencode "email=$EMAIL" --data-urlencode password@- "$host/login"

csrf=$(page "$host/device" | field csrf)
consent=$(page --data-urlencode "csrf=$csrf" --data-urlencode "user_code=$code" \
    --data-urlencode via=keyboard "$host/device")

for scope do
    set -- "$@" --data-urlencode "scope=$scope"
    shift
done
for name in csrf ticket user_code; do
    set -- "$@" --data-urlencode "$name=$(printf %s "$consent" | field $name)"
done
page --output /dev/null "$@" --data-urlencode decision=approve "$host/device/decide"
