lift_ban() { # CLIENT
	[ -z "${REGAIN_ROOT:-}" ] || fail 'fail2ban of a mounted root does not run' || return 1
	on_undo "fail2ban-client set sshd banip $1" && act fail2ban-client unban "$1"
}
