insert_after() { # FILE PLACES, each with the new line after a tab
	change_lines "$1" "$2" '
		{ print }
		here {
			count = split(rest, line, "\n")
			for (i = 1; i <= count; i++) {
				print "# The next line was added by regain."
				print line[i]
			}
		}' || return 1
	[ -n "$dry" ] || say "added a line to $1"
}
