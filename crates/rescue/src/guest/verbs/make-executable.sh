make_executable() {
	for program in /usr/sbin/sshd /usr/bin/sshd /sbin/sshd; do
		at "$program" && look || return 1
		[ "$seen" = file ] || continue
		set_mode 755
		return
	done
	fail 'there is no /usr/sbin/sshd: install the package openssh-server'
}
