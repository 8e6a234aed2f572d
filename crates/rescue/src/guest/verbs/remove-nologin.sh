remove_nologin() {
	for file in /etc/nologin /run/nologin; do
		at "$file" keep && look || return 1
		case $seen in
		file | link) ;;
		*) continue ;;
		esac
		take_file || return 1
		[ -n "$dry" ] || say "removed $file"
	done
}
