set -eu
folder=$(mktemp -d)
mkfifo "$folder/url"
quickrouter-contract mock --port 0 >"$folder/url" &
trap 'kill $! 2>/dev/null || true; rm -r "$folder"' EXIT
read -r url <"$folder/url"

admin() { curl -sS --fail-with-body -X "$1" "$url/__admin/$2" -d "${3:-}"; }
judge() {  # also where the program swallowed the refusal
  admin POST verify '{"violated": true, "times": 0}' >"$folder/said" || { cat "$folder/said"; exit 1; }
  admin POST reset >"$folder/said"
}
draw() {  # your program
  curl -sS "$url/v1/images/generations" -H 'Authorization: Bearer any' -H 'Accept: application/json' \
    -H 'Content-Type: application/json' \
    -d "{\"model\": \"gpt-image-1.5\", \"prompt\": \"a man walks\", \"n\": $1, \"size\": \"1024x1536\"}"
}

draw "${IMAGES:-2}" >"$folder/answer"
admin POST verify '{"path": "/v1/images/generations", "times": 1}' >"$folder/said" || { cat "$folder/said"; exit 1; }
judge
echo "two images are asked for: ok"

admin PUT scenarios '{"name": "rate-limited"}' >"$folder/said"
draw 1 | grep -q rate_limit_exceeded
judge
echo "a refusal for the rate is seen: ok"
