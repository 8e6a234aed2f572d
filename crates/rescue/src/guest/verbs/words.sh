# One name, and nothing that sshd would take for a pattern or for more than one.
is_one_word() {
	case $1 in
	'' | *[!A-Za-z0-9._@+\$-]*) fail "$1 is no name of a user or a group" || return 1 ;;
	esac
}

# Right after the keyword: the line may end with a comment.
add_word() { # FILE PLACES WORD
	is_one_word "$3" && change_lines "$1" "$2" '
		here {
			key = keyword($0)
			text = substr($0, length(key) + 1)
			if (key !~ /[ \t=]$/) key = key " "
			$0 = key value (text == "" ? "" : " " text)
		}
		{ print }' "$3" || return 1
	[ -n "$dry" ] || say "added $3 to $(numbers "$2") of $1"
}

take_out_word() { # FILE PLACES WORD
	is_one_word "$3" && change_lines "$1" "$2" '
		here {
			key = keyword($0)
			text = substr($0, length(key) + 1)
			kept = ""
			names = 0
			while (match(text, /^[^ \t\r]+[ \t\r]*/)) {
				part = substr(text, 1, RLENGTH)
				text = substr(text, RLENGTH + 1)
				if (part ~ /^#/) { kept = kept part text; break }
				name = part
				gsub(/[ \t\r"]/, "", name)
				if (name == value) continue
				names++
				kept = kept part
			}
			sub(/[ \t]+$/, "", kept)
			$0 = names ? key kept : "# regain: " $0
		}
		{ print }' "$3" || return 1
	[ -n "$dry" ] || say "took $3 out of $(numbers "$2") of $1"
}
