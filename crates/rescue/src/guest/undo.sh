# Brings back what one repair step changed. It lies beside the records of that step
# and needs nothing else: `sh /var/lib/regain/undo/ID/STEP/undo.sh`.
#
# Files come first, the last change first; then the commands that the step left, the
# last one first. What could be brought back is forgotten, what could not stays
# recorded and is named, so that a second run tries only that. Status 3 says that
# something remains.
#
# A record may speak of an act that never came about (the step was killed), or of a
# file that somebody has changed since: what is there is compared with what was there
# before and with what the step left, and only the latter is replaced. The way there
# is walked again, with the same rights as then.

# back_file: in root's land.
back_file() {
	walk "$path" keep || return 1
	case $land/$rest in
	user/*) why='others than root can change its directory now' && return 1 ;;
	*/*/*) why='its directory is gone' && return 1 ;;
	esac
	[ "$(path_here)" = "$path" ] || { why='its directory is another one now' && return 1; }
	case $path in
	/etc/passwd | /etc/shadow | /etc/group | /etc/gshadow) lock_accounts || return 1 ;;
	esac
	temporary=$(cat "$record/temporary") && rm -f "./$temporary"
	left=$(cat "$record/left") now=$(sum_here)
	if [ -e "$record/old" ] || [ -L "$record/old" ]; then
		if [ "$now" = "$(cat "$record/was")" ]; then
			# Never changed, or brought back already. A copy of what was there
			# does not bring its mode back; that is the record's as well.
			[ -L "./$rest" ] || cp -p --preserve=all --attributes-only \
				"$record/old" "./$rest" 2>/dev/null || :
		elif [ "$now" = "$left" ] || [ "$left" = any ]; then
			if ! ln "$record/old" "./$temporary" 2>/dev/null; then
				cp -a "$record/old" "./$temporary" || { why='it cannot be copied' && return 1; }
			fi
			timeout 20 sync "./$temporary" 2>/dev/null || :
			mv -f "./$temporary" "./$rest" || { why='it cannot be replaced' && return 1; }
		else
			why='it was changed since the repair' && return 1
		fi
	else
		case $now in
		absent) ;;
		"$left") rm -f "./$rest" ;;
		*)
			[ "$left" = any ] && [ "$now" != other ] && rm -f "./$rest" ||
				{ why='it was changed since the repair' && return 1; }
			;;
		esac
	fi
	touch -r "$record/time" .
	[ -z "$locked" ] || touch -r "$record/time" "$temp/etc"
}

# back_user_file: with the user's hand.
back_user_file() {
	account "$record/user"
	walk "$path" && look || { why='its directory is another one now' && return 1; }
	case $land/$seen/$(cat "$record/was") in
	root/absent/absent | root/nowhere/absent) return 0 ;;
	root/*) why='its directory is only root'"'"'s now' && return 1 ;;
	esac
	read -r temporary mode seconds time <"$record/old.facts"
	read -r in in_time <"$record/time"
	hand rm-temporary "$temporary" </dev/null
	now=$seen
	if [ "$seen" = file ]; then
		if [ -e "$record/foreign" ] && [ "$seen_uid" != "$user_uid" ]; then
			read -r mode owner inode <"$record/foreign"
			# The one of another owner is still there. A number alone is given
			# again as soon as it is free.
			if [ "$seen_inode $seen_seconds $seen_time" != "$inode $seconds $time" ]; then
				why='it was changed since the repair' && return 1
			fi
			hand time "$in" "$in_time" </dev/null || :
			return 0
		fi
		now=$(hand read 1048577 </dev/null | sum)
	fi
	left=$(cat "$record/left") was=$(cat "$record/was")
	case $now in
	nowhere | absent) now=absent ;;
	esac
	if [ "$now" != "$was" ] || [ "$was" = absent ] || [ -e "$record/foreign" ]; then
		if [ "$now" = absent ] && [ "$was" = absent ]; then
			:
		elif [ "$now" != "$left" ] && [ "$left" != any ]; then
			why='it was changed since the repair' && return 1
		elif [ "$was" = absent ]; then
			hand rm </dev/null || { why=$(because) && return 1; }
		elif [ -e "$record/foreign" ]; then
			read -r mode owner inode <"$record/foreign"
			pin restore "$record/old" "$temporary" "$mode" "$owner" &&
				hand take "$temporary" </dev/null || {
				why=$(because)
				hand rm-temporary "$temporary" </dev/null
				return 1
			}
		else
			hand put "$temporary" "$mode" "$seconds" "$time" <"$record/old" ||
				{ why=$(because) && return 1; }
		fi
	elif [ "$seen_mode" != "$mode" ]; then
		hand chmod "$mode" </dev/null || { why=$(because) && return 1; }
	fi
	[ "$seen" = nowhere ] || [ -z "$in" ] || hand time "$in" "$in_time" </dev/null || :
}

# back_mode: KIND INODE OWNER OLD-MODE NEW-MODE, by `root`, the `user` or a `pin`.
back_mode() {
	read -r by kind inode uid old new <"$record/mode"
	[ "$by" = root ] || account "$record/user"
	walk "$path" && look || { why='its directory is another one now' && return 1; }
	[ "$seen_inode" = "$inode" ] || { why='it is another one now' && return 1; }
	[ "$seen_mode" != "$old" ] || return 0
	[ "$seen_mode" = "$new" ] || [ "$new" = any ] || { why='it was changed since the repair' && return 1; }
	case $by/$land in
	root/root) chmod "00$old" "./$rest" ;;
	user/*) hand chmod "$old" </dev/null ;;
	pin/*) pin chmod "$kind" "$inode" "$uid" "$seen_mode" "$old" ;;
	*) why='others than root can change its directory now' && return 1 ;;
	esac || { why=$(because) && return 1; }
}

# back_owner: of a directory.
back_owner() {
	read -r inode was_owner was_mode owner mode <"$record/owner"
	account "$record/user"
	walk "$path" || return 1
	if look && [ "$seen_inode $seen_uid:$seen_gid $seen_mode" = "$inode $was_owner $was_mode" ]; then
		return 0
	fi
	pin chown-directory "$inode" "$owner" "$was_owner" "$was_mode" ||
		pin chown-directory "$inode" "$was_owner" "$was_owner" "$was_mode" ||
		{ why=$(because) && return 1; }
}

# back_made: a directory that the step made.
back_made() {
	[ ! -e "$record/user" ] || account "$record/user"
	walk "$path" && look || { why='its directory is another one now' && return 1; }
	case $seen in
	absent | nowhere) ;;
	directory)
		if [ "$land" = root ]; then
			rmdir "./$rest" 2>/dev/null
		else
			hand rmdir </dev/null
		fi || { why='something was put there since' && return 1; }
		;;
	*) why='it was changed since the repair' && return 1 ;;
	esac
	read -r in in_time <"$record/time"
	[ "$seen" = nowhere ] || if [ "$land" = root ]; then
		set_time "$in" "$in_time" .
	else
		hand time "$in" "$in_time" </dev/null || :
	fi
}

# back_aside: something in the user's land that is no file.
back_aside() {
	account "$record/user"
	walk "$path" keep && look -kept || { why='its directory is another one now' && return 1; }
	aside=$(cat "$record/aside")
	if [ "$land" != user ] || [ "$seen" = nowhere ]; then
		why='its directory is another one now' && return 1
	fi
	original=$rest
	case $rest in
	*/*) rest=${rest%/*}/$aside ;;
	*) rest=$aside ;;
	esac
	look -kept && moved=$seen && rest=$original || return 1
	if [ "$moved" = absent ]; then return 0; fi
	hand back "$aside" </dev/null || { why=$(because) && return 1; }
	read -r in in_time <"$record/time"
	hand time "$in" "$in_time" </dev/null || :
}

records() { ls "$dir" | grep '^[0-9]*$' | sort -rn; }

undo() {
	remains=0
	for number in $(records); do
		record=$dir/$number kind=$(cat "$dir/$number/kind") path=$(cat "$dir/$number/path")
		[ "$kind" != run ] || continue
		if grep -qxF -e "$path" "$temp/remains"; then continue; fi
		why='its directory cannot be entered'
		if "back_$kind" 2>/dev/null; then
			rm -rf "$record"
			grep -qxF -e "$path" "$temp/restored" || printf 'restored %s\n' "$path"
			printf '%s\n' "$path" >>"$temp/restored"
		else
			printf 'remains %s: %s\n' "$path" "$why"
			printf '%s\n' "$path" >>"$temp/remains"
			remains=1
		fi
	done
	if [ -n "$locked" ]; then
		unlock_accounts
		touch -r "$temp/etc" /etc
	fi
	for number in $(records); do
		[ "$(cat "$dir/$number/kind")" = run ] || continue
		if why=$(cd / && timeout -k 5 60 sh "$dir/$number/path" 2>&1 </dev/null); then
			rm -rf "$dir/$number"
		else
			printf 'remains %s: %s\n' "$(head -n 1 "$dir/$number/path")" "$why"
			remains=1
		fi
	done
	cd / && rm -rf "$temp"
	[ "$remains" = 0 ] || return 3
	rm -rf "$dir"
	# The directories above belong to every step; the last one out takes them along.
	while dir=${dir%/*} && [ "${dir##*/}" != lib ] && rmdir "$dir" 2>/dev/null; do :; done
}

if [ "${regain_role:-undo}" = undo ]; then
	set -u
	umask 077
	PATH=${PATH:-/bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	LC_ALL=C
	export PATH LC_ALL
	fail() { why=$*; return 1; }
	dir=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P) || exit 1
	temp=$dir/tmp
	rm -rf "$temp" "$dir"/*.new
	mkdir "$temp" && : >"$temp/remains" && : >"$temp/restored" || exit 1
	undo
	exit
fi
