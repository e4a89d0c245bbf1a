# The page's curl: its address and its size are replaced, nothing else; $PAGE is the file with it.
set -eu
[ "$(grep -c https://api.quickrouter.ai "$PAGE")" = 1 ]
answer=$(sed -e "s|https://api.quickrouter.ai|$QUICKROUTER_BASE_URL|" -e "s|1024x1536|$SIZE|" "$PAGE" | sh)
saw=$(printf %s "$answer" | grep -oE '"(object|code|param)": ?"[a-zA-Z._]*"' | tr -d '" ' | paste -sd ' ' -)
printf '{"version": "%s", "saw": "%s"}' "$(curl --version | cut -d ' ' -f 2 | head -n 1)" "$saw" >"$SAW"
