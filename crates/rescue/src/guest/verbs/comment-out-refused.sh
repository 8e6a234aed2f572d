# A value that is wrong hides what follows it, so sshd is asked again each time. Lines
# of `Match` are left alone: without them what follows would hold for everybody.
comment_out_refused() {
	[ -z "${REGAIN_ROOT:-}" ] ||
		fail 'the sshd of a mounted root is not run: which lines it refuses is not known' || return 1
	for round in 1 2 3 4 5 6 7 8 9; do
		if sshd_accepts; then return 0; fi
		refused=$(printf '%s\n' "$words" |
			grep -Ev 'line [0-9]+: (Deprecated option|Unsupported option|Bad Match|Unsupported Match)' |
			sed -nE 's/^(\/.*[^:]):? line ([0-9]+): .*/\2 \1/p' | sort -u)
		[ -n "$refused" ] || return 0
		# One file at a time, with all of its lines.
		printf '%s\n' "$refused" | sed 's/^[0-9]* //' | sort -u >"$temp/refused"
		while IFS= read -r file; do
			places=$(printf '%s\n' "$refused" | FILE=$file awk '
				{ n = $1; sub(/^[0-9]+ /, "") } $0 == ENVIRON["FILE"] { print n " *" }')
			comment_out "$file" "$places" || return 1
		done <"$temp/refused"
		if [ -n "$dry" ]; then
			would 'sshd -t again, and the same for what it refuses then'
			return 0
		fi
	done
}
