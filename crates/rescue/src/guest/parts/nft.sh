# nftables' rules. Comments and prefixes of logs stay here.
if has nft; then
	block ruleset
	nft -j list ruleset 2>"$work/nft.errors" >"$work/nft.json"
	code=$?
	sed -E 's/"(comment|prefix)": *"([^"\\]|\\.)*"/"\1": ""/g' "$work/nft.json"
	block "exit $code"
	head -n 3 "$work/nft.errors"
	# nft 1.0's JSON does not say on which device a chain hangs.
	if grep -q '"hook": *"[ie]n\{0,1\}gress"' "$work/nft.json"; then
		block chains
		nft list chains | sed -n '/^table/p; /^}/p; /^[[:space:]]*}/p; /^[[:space:]]*chain [^"]*$/p; /^[[:space:]]*type /p'
	fi
elif [ ! -e /sys/module/nf_tables ]; then
	block none
fi
