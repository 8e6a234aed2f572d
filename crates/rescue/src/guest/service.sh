# The SSH server as the service manager has it: systemd's, or OpenRC's. Of a mounted
# root nothing is run; the server is started with the machine.
#
#   sshd_program    its path
#   sshd_accepts    whether `sshd -t` accepts the configuration; $words if not
sshd_program() { command -v sshd || echo /usr/sbin/sshd; }

has_systemd() { command -v systemctl >/dev/null 2>&1; }

# Whether sshd runs is asked before anything is changed: a unit that systemd keeps
# trying to restart comes up by itself as soon as its configuration is repaired.
sshd_ran=no
if [ -z "${REGAIN_ROOT:-}" ] && has_systemd &&
	systemctl is-active -q ssh.service sshd.service 2>/dev/null; then
	sshd_ran=yes
fi

sshd_unit() {
	for unit in ssh.service sshd.service; do
		if systemctl cat "$unit" >/dev/null 2>&1; then
			echo "$unit"
			return 0
		fi
	done
	return 1
}

sshd_accepts() {
	for try in 1 2 3; do
		# Debian's unit owns this directory, and `sshd -t` asks for it. A unit that
		# fails again and again takes it away in between.
		mkdir -p -m 0755 /run/sshd || return 1
		if words=$(timeout 20 "$(sshd_program)" -t 2>&1); then return 0; fi
		case $try$words in
		[12]*'privilege separation directory'*) sleep 1 ;;
		*) return 1 ;;
		esac
	done
}

apply_sshd() {
	if [ -n "${REGAIN_ROOT:-}" ]; then
		say 'the SSH server uses it when the machine starts'
		return 0
	fi
	if [ -n "$dry" ]; then
		would 'sshd -t, and only if it accepts: start sshd, or reload its configuration'
		return 0
	fi
	if ! sshd_accepts; then
		say "sshd refuses its configuration, so it stays as it is: $words"
		return 1
	fi
	if has_systemd; then
		apply_by_systemd
	elif command -v rc-service >/dev/null 2>&1; then
		apply_by_openrc
	else
		fail 'there is neither systemd nor OpenRC to start sshd with'
	fi
}

apply_by_openrc() {
	if rc-service sshd status >/dev/null 2>&1; then
		on_undo 'rc-service sshd reload' && rc-service sshd reload >/dev/null
	else
		on_undo 'rc-service sshd stop' && rc-service sshd start >/dev/null
	fi || fail 'sshd does not start'
}

apply_by_systemd() {
	if systemctl is-active -q ssh.socket 2>/dev/null; then
		# A socket cannot be restarted while the service that it starts holds the
		# port; sessions survive the service (KillMode=process).
		restart='systemctl daemon-reload && systemctl stop ssh.service &&'
		restart="$restart systemctl restart ssh.socket"
		on_undo "$restart" && eval "$restart"
		return
	fi
	unit=$(sshd_unit) || fail 'there is no unit ssh.service or sshd.service' || return 1
	if [ "$sshd_ran" = yes ]; then
		on_undo "! '$(sshd_program)' -t 2>/dev/null || systemctl reload $unit" || return 1
	else
		on_undo "systemctl stop $unit" || return 1
	fi
	if systemctl is-active -q "$unit"; then
		systemctl reload "$unit" || return 1
	else
		# A unit that failed too often must be forgiven before it starts again.
		systemctl reset-failed "$unit" 2>/dev/null || :
		systemctl start "$unit" || return 1
	fi
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		if systemctl is-active -q "$unit"; then return 0; fi
		sleep 0.1
	done
	fail "$unit does not stay up"
}
