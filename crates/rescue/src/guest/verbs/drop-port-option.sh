drop_port_option() { # PORT
	for file in /etc/default/ssh /etc/sysconfig/sshd; do
		at "$file" 3>/dev/null && look && [ "$seen" = file ] || continue
		open_file "$file" || return 1
		sed -E "s/ *(-p *|-o *Port=)$1([^0-9]|\$)/\\2/g" "$temp/old" >"$temp/new" || return 1
		put_file || return 1
	done
	[ -z "${REGAIN_ROOT:-}" ] || return 0
	restart='systemctl restart ssh.service 2>/dev/null || systemctl restart sshd.service'
	on_undo "$restart" && apply_sshd || return 1
	if [ -n "$dry" ]; then
		would "$restart"
	else
		eval "$restart"
	fi
}
