authorize_key() { # USER FILE KEY
	open_keys "$1" "$2" || return 1
	{
		if [ -s "$temp/old" ]; then
			cat "$temp/old"
			# The last line may lack its line break.
			[ -z "$(tail -c 1 "$temp/old" | tr '\000' x)" ] || echo
		fi
		printf '%s regain\n' "$3"
	} >"$temp/new"
	put_keys || return 1
	[ -n "$dry" ] || say "installed the client's key in $2"
}
