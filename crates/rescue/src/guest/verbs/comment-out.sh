comment_out() { # FILE PLACES
	change_lines "$1" "$2" '{ print (here ? "# regain: " : "") $0 }' || return 1
	[ -n "$dry" ] || say "commented out $(numbers "$2") of $1"
}

# numbers PLACES: `line 1`, `lines 1, 2`
numbers() {
	printf '%s\n' "$1" | awk '
		{ list = list (NR > 1 ? ", " : "") $1 }
		END { print (NR > 1 ? "lines " : "line ") list }'
}
