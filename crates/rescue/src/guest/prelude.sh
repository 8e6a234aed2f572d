# What every repair script in a guest starts with. It gives the script:
#
#   keep PATH...   record a path, so that the undo can bring it back: a file or link
#                  with all that belongs to it, a directory's mode and owner, or
#                  that there is nothing. Call it before the change.
#   put PATH       standard input becomes the file, in one rename; mode, owner and
#                  label stay as they are
#   on_undo CMD    run CMD when this is undone, after the files are back
#   sshd_apply     make sshd use its configuration, if `sshd -t` accepts it
#   accept_ssh     accept PORT from SOURCE before the packet filter's BLOCKERS
#   say TEXT       tell the operator
#
# A script that fails is rolled back before it returns. What is recorded lies in
# /var/lib/regain/undo/ID/STEP with the script that brings it back (undo.sh), so that
# even an operator at the serial console can undo.
#
# REGAIN_UNDO is ID/STEP. REGAIN_ROOT goes before the directory, for tests.
set -eu
umask 022
# Nothing is done unless all of it can be parsed.
sh -n "$0"

exec 3>&1
regain_dir=${REGAIN_ROOT:-}/var/lib/regain/undo/$REGAIN_UNDO
regain_temp=
(umask 077 && mkdir -p "$regain_dir")
cat >"$regain_dir/undo.sh" <<'REGAIN_UNDO_SH'
@UNDO@
REGAIN_UNDO_SH
# An earlier try under the same name may have left records; they are older and truer.
for regain_file in manifest kept times; do
	: >>"$regain_dir/$regain_file"
done

regain_end() {
	status=$?
	trap - EXIT HUP INT TERM
	[ -z "$regain_temp" ] || rm -f "$regain_temp"
	if [ "$status" -ne 0 ]; then
		echo rollback >&3
		sh "$regain_dir/undo.sh" >&3 || :
	fi
	exit "$status"
}
trap regain_end EXIT
trap 'exit 143' HUP INT TERM

say() { printf 'say %s\n' "$*" >&3; }

# regain_record KIND PATH: one line, after what it speaks of is safe.
regain_record() {
	printf '%s\n' "$1 $regain_number $2" >>"$regain_dir/manifest"
}

regain_next() {
	regain_number=$(wc -l <"$regain_dir/manifest")
	regain_number=$((regain_number + 1))
}

# The directory's mtime changes with every file that is replaced in it.
regain_keep_time() {
	[ -d "$1" ] || return 0
	! grep -qxF -- "$1" "$regain_dir/times" || return 0
	regain_next
	touch -r "$1" "$regain_dir/$regain_number" || return 1
	regain_record time "$1"
	printf '%s\n' "$1" >>"$regain_dir/times"
}

regain_keep() {
	case $1 in
	*'
'*) say "cannot keep a path with a line break" && return 1 ;;
	/*) ;;
	*) say "cannot keep the relative path $1" && return 1 ;;
	esac
	! grep -qxF -- "$1" "$regain_dir/kept" || return 0
	parent=${1%/*}
	regain_keep_time "${parent:-/}" || return 1
	regain_next
	if [ -L "$1" ] || [ -f "$1" ]; then
		cp -a -- "$1" "$regain_dir/$regain_number" || return 1
		regain_record file "$1"
	elif [ -d "$1" ]; then
		stat -c '%u:%g %a' -- "$1" >"$regain_dir/$regain_number" || return 1
		touch -r "$1" "$regain_dir/$regain_number" || return 1
		regain_record directory "$1"
	elif [ -e "$1" ]; then
		say "cannot keep $1: it is neither a file nor a directory" && return 1
	else
		regain_record absent "$1"
	fi
	printf '%s\n' "$1" >>"$regain_dir/kept"
}

keep() {
	for regain_path in "$@"; do
		regain_keep "$regain_path" || return 1
	done
	sync "$regain_dir"/* 2>/dev/null || :
}

put() {
	regain_target=$(readlink -f -- "$1") || return 1
	keep "$1" "$regain_target" || return 1
	regain_temp=${regain_target%/*}/.regain.$$
	regain_label=restorecon
	if [ -e "$regain_target" ]; then
		# The copy brings mode, owner and label; then only the bytes are replaced.
		regain_label=:
		cp -a -- "$regain_target" "$regain_temp" || return 1
	fi
	cat >"$regain_temp" || return 1
	sync "$regain_temp" 2>/dev/null || :
	mv -f -- "$regain_temp" "$regain_target" || return 1
	regain_temp=
	"$regain_label" "$regain_target" 2>/dev/null || :
}

on_undo() {
	regain_runs=$(find "$regain_dir" -name 'run.*' | wc -l)
	printf '%s\n' "$1" >"$regain_dir/run.$((100 + regain_runs))"
}

# Whether sshd runs is asked before anything is changed: a unit that systemd keeps
# trying to restart comes up by itself as soon as its configuration is repaired.
regain_sshd_ran=no
if systemctl is-active -q ssh.service sshd.service 2>/dev/null; then
	regain_sshd_ran=yes
fi

regain_unit() {
	for unit in ssh.service sshd.service; do
		if systemctl cat "$unit" >/dev/null 2>&1; then
			echo "$unit"
			return 0
		fi
	done
	say "there is no unit ssh.service or sshd.service" && return 1
}

sshd_apply() {
	regain_sshd=$(command -v sshd || echo /usr/sbin/sshd)
	for regain_try in 1 2 3; do
		# Debian's unit owns this directory, and `sshd -t` asks for it. A unit that
		# fails again and again takes it away in between.
		mkdir -p -m 0755 "${REGAIN_ROOT:-}/run/sshd" || return 1
		if regain_words=$("$regain_sshd" -t 2>&1); then break; fi
		case $regain_try$regain_words in
		[12]*'privilege separation directory'*) sleep 1 ;;
		*)
			say "sshd refuses its configuration, so it stays as it is: $regain_words"
			return 1
			;;
		esac
	done
	if systemctl is-active -q ssh.socket 2>/dev/null; then
		# A socket cannot be restarted while the service that it starts holds the
		# port; sessions survive the service (KillMode=process).
		regain_restart='systemctl daemon-reload && systemctl stop ssh.service &&'
		regain_restart="$regain_restart systemctl restart ssh.socket"
		on_undo "$regain_restart"
		eval "$regain_restart"
		return
	fi
	regain_unit_name=$(regain_unit) || return 1
	if [ "$regain_sshd_ran" = yes ]; then
		on_undo "! '$regain_sshd' -t 2>/dev/null || systemctl reload $regain_unit_name"
	else
		on_undo "systemctl stop $regain_unit_name"
	fi
	if systemctl is-active -q "$regain_unit_name"; then
		systemctl reload "$regain_unit_name" || return 1
	else
		# A unit that failed too often must be forgiven before it starts again.
		systemctl reset-failed "$regain_unit_name" 2>/dev/null || :
		systemctl start "$regain_unit_name" || return 1
	fi
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		if systemctl is-active -q "$regain_unit_name"; then return 0; fi
		sleep 0.1
	done
	say "$regain_unit_name does not stay up"
	return 1
}

# Puts an accept for PORT, from SOURCE or from anywhere, before each rule of
# BLOCKERS, a line each: tool family table chain (handle number | policy 0). That
# ends the chain's say about these packets only.
accept_ssh() {
	regain_family=ip
	case $SOURCE in
	*:*) regain_family=ip6 ;;
	esac
	while read -r tool tables table chain handle number; do
		case $tool in
		nft) regain_nft_accept ;;
		*) regain_iptables_accept ;;
		esac || return 1
		say "accepts port $PORT in $tables $table $chain"
	done <<-END
	$BLOCKERS
	END
}

regain_nft_accept() {
	words="tcp dport $PORT accept comment \"regain\""
	[ -z "$SOURCE" ] || words="$regain_family saddr $SOURCE $words"
	case $handle in
	policy | -) place="add rule $tables $table $chain" ;;
	*) place="insert rule $tables $table $chain handle $handle" ;;
	esac
	added=$(nft -a -e "$place $words") || return 1
	# What nft says ends with `# handle N` and, in some versions, another line.
	new=${added##*# handle }
	on_undo "nft delete rule $tables $table $chain handle ${new%%[!0-9]*}"
}

regain_iptables_accept() {
	if command -v "$tool-nft" >/dev/null 2>&1; then tool=$tool-nft; fi
	words="-p tcp --dport $PORT -m comment --comment regain -j ACCEPT"
	[ -z "$SOURCE" ] || words="-s $SOURCE $words"
	case $handle in
	policy) $tool -w -t "$table" -A "$chain" $words || return 1 ;;
	*) $tool -w -t "$table" -I "$chain" "$number" $words || return 1 ;;
	esac
	on_undo "$tool -w -t $table -D $chain $words"
}
