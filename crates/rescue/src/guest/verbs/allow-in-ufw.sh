allow_in_ufw() { # PORT CLIENT
	[ -z "${REGAIN_ROOT:-}" ] || fail 'ufw of a mounted root is not run' || return 1
	if [ -z "$dry" ]; then
		for rules in /etc/ufw/user.rules /etc/ufw/user6.rules; do
			at "$rules" && look && begin_file any || return 1
		done
	fi
	on_undo 'ufw reload' && act ufw prepend allow proto tcp from "$2" to any port "$1"
}
