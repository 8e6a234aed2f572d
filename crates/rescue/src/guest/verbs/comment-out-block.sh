comment_out_block() { # FILE PLACES
	change_lines "$1" "$2" '
		{
			if (here) out = 1
			else if (first($0) == "match") out = 0
			print (here || (out && $0 !~ /^[ \t]*(#|$)/) ? "# regain: " : "") $0
		}' || return 1
	[ -n "$dry" ] || say "commented out the Match block at $(numbers "$2") of $1"
}
