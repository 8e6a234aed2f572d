# What something else is about to change (VMAccess): recorded, so that it can come
# back whatever is there then.
keep_files() { # PATH...
	for path in "$@"; do
		at "$path" && look || return 1
		case $seen in
		file | absent) begin_file any || return 1 ;;
		esac
	done
}

keep_sshd() {
	keep_files /etc/ssh/sshd_config || return 1
	if at /etc/ssh/sshd_config.d/. && [ "$rest" = . ]; then
		for file in ./*; do
			[ ! -f "$file" ] || keep_files "/etc/ssh/sshd_config.d/${file#./}" || return 1
			at /etc/ssh/sshd_config.d/. || return 1
		done
	fi
	on_undo '! sshd -t || systemctl try-reload-or-restart ssh || systemctl try-reload-or-restart sshd'
}

keep_account() { # USER
	keep_files /etc/passwd /etc/shadow /etc/group /etc/gshadow /etc/sudoers.d/waagent || return 1
	find_user "$1" || return 0
	for path in "$user_home" "$user_home/.ssh"; do
		walk "$path" && look || return 1
		case $seen in
		directory)
			# VMAccess may give it to the user, and takes write access from others.
			begin owner "$(path_here)" && write_account &&
				printf '%s\n' "$seen_inode $seen_uid:$seen_gid $seen_mode $user_uid:$user_gid any" >"$record/owner" &&
				commit
			;;
		absent)
			begin made "$(path_here)" && printf '%s\n' "$seen_in $seen_in_time" >"$record/time" &&
				{ [ "$land" = root ] || write_account; } && commit
			;;
		esac || return 1
	done
	walk "$user_home/.ssh/authorized_keys" && look || return 1
	case $land/$seen in
	root/file | root/absent) begin_file any ;;
	user/file) open_keys "$1" "$user_home/.ssh/authorized_keys" && record_keys any ;;
	user/absent | */nowhere) record_keys any ;;
	esac
}
