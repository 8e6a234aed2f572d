# What edits and their undo stand on: the user's hand, root's pins, a look at what is
# there. It needs `dir`, the records of one step, and `temp`, a directory of root's.
#
#   look            what is at the end of the last walk: sets seen and seen_*
#   hand CMD...     does CMD of hand.sh there with the user's rights
#   pin CMD...      does CMD of pin.sh there
#   sum             of standard input
#   account LINE    the user's numbers, as they were recorded
hand() {
	# Root's hand would be root's rights, which are what a planted link is after.
	if [ "$user_uid" = 0 ]; then
		echo "others than root can change ${here:-/}: take that away first" >"$temp/why"
		return 1
	fi
	# Whoever else is this user may have our hand write what it likes: not without
	# end, and not into what we print ourselves.
	(
		case $1 in
		look*) ulimit -f 2 ;;
		read) ulimit -f 40960 ;;
		*)
			ulimit -f 40960
			exec >/dev/null
			;;
		esac
		# This process is the hand: nothing comes after it here.
		user_exec=exec
		as_user sh -c "$regain_walk
$regain_hand" hand "$top" "$here" "$rest" "$@" 2>"$temp/why"
	)
}

pin() {
	timeout -k 1 10 sh -c "$regain_walk
$regain_pin" pin "$top" "$here" "$rest" "$@" 2>"$temp/why" </dev/null
}

# Whatever a hand says is the user's word: a line that can be printed, not more.
because() {
	head -n 1 "$temp/why" 2>/dev/null | head -c 300 | tr -cd ' -~'
}

look() {
	if [ "$land" = root ]; then
		look_at >"$temp/look"
		stat -c '%Y %y' . >>"$temp/look"
	else
		hand "look${1:-}" </dev/null >"$temp/look"
	fi
	seen_time='' seen_in='' seen_in_time='' seen_next=''
	{
		read -r seen seen_mode seen_uid seen_gid seen_links seen_size seen_inode \
			seen_seconds seen_time
		read -r seen_in seen_in_time
	} <"$temp/look"
	case $seen in
	absent | nowhere | link | other) seen_next=$seen_mode seen_mode=000 seen_size=0 ;;
	file | directory) seen_mode=$(three "$seen_mode") ;;
	*) fail "$(path_here) cannot be looked at: $(because)" || return 1 ;;
	esac
	# Times before 1970 are negative.
	case $seen_mode$seen_uid$seen_gid$seen_links$seen_size${seen_seconds#-}${seen_in#-} in
	*[!0-9]*) fail "$(path_here) cannot be looked at" || return 1 ;;
	esac
	case $seen_time$seen_in_time$seen_inode in
	*[!0-9\ :.+-]*) return 1 ;;
	esac
}

# A mode with three digits at least.
three() {
	case $1 in
	?) printf '00%s\n' "$1" ;;
	??) printf '0%s\n' "$1" ;;
	*) printf '%s\n' "$1" ;;
	esac
}

# The path of the last walk, as the guest names it.
path_here() { printf '%s\n' "${here#"$top"}/$rest"; }

sum() { sha256sum | { read -r sum _ && echo "$sum"; }; }

# What is at `rest` in root's land, in one word that changes with it.
sum_here() {
	if [ -L "./$rest" ]; then
		printf 'link %s\n' "$(readlink "./$rest")"
	elif [ -f "./$rest" ]; then
		sum <"./$rest"
	elif [ -e "./$rest" ]; then
		echo other
	else
		echo absent
	fi
}

account() {
	read -r user_uid user_gid user_groups user_name <"$1"
}

