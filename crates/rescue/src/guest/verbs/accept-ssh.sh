# An accept before the deciding rule ends that chain's say about these packets only.
# The comment finds it again: which handle it gets is known too late for a record that
# is written before.
accept_ssh() { # RULES PORT CLIENT incoming|replies; a rule: tool family table chain place
	[ -z "${REGAIN_ROOT:-}" ] || fail 'the packet filter of a mounted root does not run' || return 1
	family=ip
	case $3 in
	'' | *[!0-9A-Fa-f.:]*) fail "$3 is no address" || return 1 ;;
	*:*) family=ip6 ;;
	esac
	comment=regain.$(random)
	printf '%s\n' "$1" >"$temp/rules"
	while read -r tool tables table chain place; do
		case $tables$table$chain$place in
		*[!A-Za-z0-9_./-]*) fail "$tables $table $chain is no chain" || return 1 ;;
		esac
		case $tool in
		nft) accept_by_nft "$2" "$3" "$4" ;;
		iptables | ip6tables | iptables-legacy | ip6tables-legacy) accept_by_iptables "$2" "$3" "$4" ;;
		*) fail "$tool is no tool of a packet filter" ;;
		esac || return 1
		[ -n "$dry" ] || say "accepts port $2 from $3 in $tables $table $chain"
	done <"$temp/rules"
}

accept_by_nft() {
	set -- "$family saddr $2 tcp dport $1" "$family daddr $2 tcp sport $1" "$3"
	[ "$3" = incoming ] || shift
	if [ "$place" = - ]; then
		words="add rule $tables $table $chain"
	else
		words="insert rule $tables $table $chain handle $place"
	fi
	on_undo "handle=\$(nft -a list chain $tables $table $chain | sed -n 's/.*comment \"$comment\".*# handle \\([0-9]*\\).*/\\1/p') &&
for handle in \$handle; do nft delete rule $tables $table $chain handle \$handle; done" || return 1
	act nft "$words $1 accept comment \"$comment\"" || fail "nft does not take the rule"
}

accept_by_iptables() {
	# A system with both has the rules that were collected in the former.
	if command -v "$tool-nft" >/dev/null 2>&1; then tool=$tool-nft; fi
	if [ "$3" = incoming ]; then
		words="-s $2 -p tcp --dport $1"
	else
		words="-d $2 -p tcp --sport $1"
	fi
	words="$words -m comment --comment $comment -j ACCEPT"
	on_undo "! $tool -w -t $table -C $chain $words 2>/dev/null || $tool -w -t $table -D $chain $words" || return 1
	if [ "$place" = - ]; then
		act $tool -w -t "$table" -A "$chain" $words
	else
		act $tool -w -t "$table" -I "$chain" "$place" $words
	fi || fail "$tool does not take the rule"
}
