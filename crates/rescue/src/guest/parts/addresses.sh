# Interfaces and their addresses.
if has ip; then
	block addresses
	ip -o addr show | awk '$3 ~ /^inet6?$/ { sub(/\/.*/, "", $4); print $2, $4 }'
fi
