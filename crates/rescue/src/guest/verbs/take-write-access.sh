take_write_access() { # USER PATH...
	account_of "$1" || return 1
	shift
	for path in "$@"; do
		walk "$path" && look || return 1
		case $seen in
		file | directory) ;;
		*) fail "$path is neither a file nor a directory" || return 1 ;;
		esac
		# A directory with the sticky bit is everybody's on purpose (/tmp): the keys are
		# in the wrong place, not the rights.
		case $seen/$seen_mode in
		directory/[1357]???) fail "$path is everybody's: move the keys out of it" || return 1 ;;
		esac
		if [ "$land" = root ]; then
			set_mode "$(without_write "$seen_mode")"
		else
			own_mode "$(without_write "$seen_mode")"
		fi || return 1
		[ -n "$dry" ] || say "took write access to $path from others"
	done
}
