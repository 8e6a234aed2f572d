split_line() { # FILE PLACES
	change_lines "$1" "$2" '
		here && match($0, /^[ \t]*[A-Za-z0-9]+[ \t=]+(yes|no)/) {
			print substr($0, 1, RLENGTH)
			print substr($0, RLENGTH + 1)
			next
		}
		{ print }' || return 1
	[ -n "$dry" ] || say "split $(numbers "$2") of $1"
}
