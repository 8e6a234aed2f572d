# What a guest knows about its own SSH server. Reads only; portable sh for Debian,
# Ubuntu, RHEL, SUSE and busybox. Prints blocks: a line `MARK NAME ARGUMENT...`,
# then text as it is up to the next such line. crates/rescue/src/report reads it.
#
# MARK is random, so that no file's content can be taken for a block. Set before
# this text: MARK LOGIN HOST ADDRESS PORT, and TMPDIR by the frame.
set -u

block() { printf '\n%s %s\n' "$MARK" "$*"; }
has() { command -v "$1" >/dev/null 2>&1; }

# A guest that is asked is often a guest that hangs: a dead NFS mount, a directory
# server that is away. Nothing here may wait for it.
if has timeout; then
	within() { timeout "$@"; }
else
	within() {
		shift
		"$@"
	}
fi

# Output, errors and status of one command.
run() {
	name=$1
	shift
	block "$name"
	code=0
	"$@" 2>"$TMPDIR/errors" || code=$?
	block "$name.stderr"
	cat "$TMPDIR/errors"
	block "$name.exit $code"
}

# Adds a path and every directory above it to the paths that are looked at.
paths=
add() {
	path=$1
	while [ -n "$path" ]; do
		paths="$paths$path
"
		case $path in
		/) path= ;;
		/*/*) path=${path%/*} ;;
		/*) path=/ ;;
		*) path= ;;
		esac
	done
}
newline='
'

# Somebody may have pasted a private key where a public one belongs. That it is there
# is told, what it is stays here, however it was wrapped.
without_private_keys() {
	sed -e '/-----BEGIN .*PRIVATE KEY-----.*-----END/{
s/KEY-----.*/KEY----- (not shown)/
b
}' -e '/-----BEGIN .*PRIVATE KEY-----/,/-----END/{
s/KEY-----..*/KEY----- (not shown)/
s/.*-----END/-----END/
/-----/!s/.*/(not shown)/
}' -e '/^Private-Lines:/,/^Private-MAC:/s/^[^P].*/(not shown)/'
}

### The guest as a whole
block os
sed -n 's/^PRETTY_NAME=//p' /etc/os-release 2>/dev/null
# Since PID 1 started, which in a container is not since the kernel did.
block uptime
read -r up _ </proc/uptime && echo "$up"
cat /proc/1/stat
block now
date +%s
run disk within 2 df -P -l
run inodes within 2 df -P -i -l
block mounts
cat /proc/mounts
block fstab
cat /etc/fstab 2>/dev/null

### The packet filter
if has nft; then
	run nft within 3 nft -j list ruleset
	block nft.chains
	within 3 nft list chains 2>/dev/null
fi
for tool in iptables ip6tables; do
	for save in "$tool-nft-save" "$tool-save"; do
		if has "$save"; then
			block "$tool"
			within 3 "$save" 2>/dev/null
			break
		fi
	done
	# Asking the legacy tool would load its kernel modules.
	if has "$tool-legacy-save" && [ -s "/proc/net/${tool%tables}_tables_names" ]; then
		block "$tool.legacy"
		within 3 "$tool-legacy-save" 2>/dev/null
	fi
done
if has ip; then
	block addresses
	within 2 ip -o addr show
fi
if grep -qs '^ENABLED=yes' /etc/ufw/ufw.conf; then block ufw; fi

### Units, those of the filter's owners among them
if has systemctl; then
	block units
	within 3 systemctl show -p Id -p LoadState -p ActiveState -p SubState -p Result \
		-p UnitFileState ssh.service sshd.service ssh.socket sshd.socket \
		firewalld.service fail2ban.service sshguard.service 2>/dev/null
fi

### The SSH server
sshd=$(command -v sshd)
block sshd
printf '%s\n' "$sshd"
if [ -n "$sshd" ]; then
	# Debian's unit makes this directory and takes it away again; without it sshd
	# speaks of nothing else.
	made=
	if [ ! -e /run/sshd ] && mkdir -m 0755 /run/sshd 2>/dev/null; then made=1; fi
	run test within 5 "$sshd" -t
	connection="user=$LOGIN,host=$HOST,addr=$ADDRESS"
	settings() {
		within 5 "$sshd" -T -C "$connection" "$@" >"$TMPDIR/settings" \
			2>"$TMPDIR/errors"
	}
	if ! settings && grep -q 'no hostkeys' "$TMPDIR/errors" && has ssh-keygen; then
		# Without a host key sshd shows no settings; lend it one.
		ssh-keygen -q -t ed25519 -N '' -f "$TMPDIR/lent" &&
			settings -h "$TMPDIR/lent"
	fi
	block settings
	grep -v "^hostkey $TMPDIR/" "$TMPDIR/settings"
	block settings.stderr
	cat "$TMPDIR/errors"
	if [ -n "$made" ]; then rmdir /run/sshd; fi
fi
setting() { sed -n "s/^$1 //p" "$TMPDIR/settings" 2>/dev/null; }

block processes
for process in /proc/[0-9]*; do
	read -r name <"$process/comm" || continue
	case $name in
	sshd | sshd-session | sshd-auth)
		read -r stat <"$process/stat" || continue
		stat=${stat##*) }
		printf '%s\n' "${process#/proc/} ${stat%% *} $(tr '\0' ' ' <"$process/cmdline")"
		;;
	esac
done 2>/dev/null

if has ss; then
	block listeners.ss
	within 3 ss -H -l -t -n -p
else
	block listeners.proc
	cat /proc/net/tcp /proc/net/tcp6 2>/dev/null
fi

seen=' '
config() {
	case $seen in *" $1 "*) return ;; esac
	seen="$seen$1 "
	[ -f "$1" ] || return 0
	block "config $1"
	head -c 65536 "$1"
	for file in $(sed -n 's/^[[:space:]]*[Ii]nclude[[:space:]=]*//p' "$1" | tr -d '"'); do
		case $file in
		/*) config "$file" ;;
		*) config "/etc/ssh/$file" ;;
		esac
	done
}
config /etc/ssh/sshd_config
for file in /etc/ssh/sshd_config.d/*; do config "$file"; done

keys=$(setting hostkey | grep -v "^$TMPDIR/")
if [ -z "$keys" ]; then
	for kind in rsa ecdsa ed25519; do
		keys="$keys/etc/ssh/ssh_host_${kind}_key$newline"
	done
fi
keys="$keys$newline/etc/ssh$newline/run/sshd$newline"
block hostkeys
printf '%s\n' "$keys"
block hostkeys.public
cat /etc/ssh/ssh_host_*_key.pub 2>/dev/null

block journal
if has journalctl; then
	within 3 journalctl -b -q --no-pager -o short -n 80 \
		SYSLOG_IDENTIFIER=sshd + SYSLOG_IDENTIFIER=sshd-session + \
		UNIT=ssh.service + UNIT=sshd.service + _SYSTEMD_UNIT=ssh.service 2>/dev/null
else
	for log in /var/log/auth.log /var/log/secure /var/log/messages; do
		if [ -f "$log" ]; then
			tail -n 400 "$log" | grep sshd | tail -n 80
			break
		fi
	done
fi

### The account
entry=$(within 3 getent passwd "$LOGIN" 2>/dev/null ||
	grep "^$LOGIN:" /etc/passwd)
block passwd
printf '%s\n' "$entry"
if [ -n "$entry" ]; then
	block groups
	within 3 id -G "$LOGIN"
	within 3 id -Gn "$LOGIN"
	# The password's hash stays here: only its kind is told.
	block shadow
	while IFS=: read -r name password changed _ max _ inactive expires _; do
		[ "$name" = "$LOGIN" ] || continue
		case $password in
		'!'*) kind=locked ;;
		'' | '*'*) kind=none ;;
		*) kind=usable ;;
		esac
		echo "$kind:$changed:$max:$inactive:$expires"
	done 2>/dev/null </etc/shadow
	shell=${entry##*:}
	shell=${shell:-/bin/sh}
	home=${entry%:*}
	home=${home##*:}
	rest=${entry#*:*:}
	uid=${rest%%:*}
	files=$(setting authorizedkeysfile)
	block account.paths
	add "$home"
	add "$home/.ssh"
	set -f
	# The usual place is looked at even where sshd looks elsewhere: a key that lies
	# there tells a moved path from a lost key.
	for file in ${files:-.ssh/authorized_keys2} .ssh/authorized_keys; do
		[ "$file" = none ] && continue
		file=$(printf '%s\n' "$file" | sed "s|%h|$home|g; s|%u|$LOGIN|g; s|%U|$uid|g; s|%%|%|g")
		case $file in /*) ;; *) file=$home/$file ;; esac
		add "$file"
		# sshd judges the directories of the file that the links lead to.
		real=$(readlink -f "$file" 2>/dev/null) && [ "$real" != "$file" ] && add "$real"
		authorized="${authorized:-}$file$newline"
	done
	printf '%s' "$paths"
	IFS=$newline
	for file in ${authorized:-}; do
		[ -f "$file" ] || continue
		block "keys $file"
		head -c 65536 "$file" | without_private_keys
	done
	block "shell $shell"
	# One process for every path; what it does not list is not there.
	block stat
	stat -L -c '%f %u %g %s %n' $paths $keys "$shell" 2>/dev/null
else
	set -f
	IFS=$newline
	block stat
	stat -L -c '%f %u %g %s %n' $keys 2>/dev/null
fi
for file in /etc/nologin /run/nologin /var/run/nologin; do
	if [ -f "$file" ]; then
		block "nologin $file"
		head -c 4096 "$file"
	fi
done
block end
