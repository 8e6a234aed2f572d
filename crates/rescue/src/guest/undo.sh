# Brings back what one repair step changed. It lies beside the records of that step
# and needs nothing else: `sh /var/lib/regain/undo/ID/STEP/undo.sh`.
#
# Files come first, the last change first, so that every directory is right before
# what is in it; then the commands that the step left, the last one first. What could
# be brought back is forgotten, what could not stays recorded and is named, so that a
# second run tries only that. Status 3 says that something remains.
set -u
PATH=${PATH:-/bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
dir=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 1
say() { printf 'say %s\n' "$*"; }

# bring_back KIND NUMBER PATH
bring_back() {
	kept=$dir/$2
	case $1 in
	file)
		if [ -d "$3" ] && [ ! -L "$3" ]; then
			why='it is a directory now'
			return 1
		fi
		temp=${3%/*}/.regain-undo.$$
		if ! why=$(cp -a -- "$kept" "$temp" 2>&1 && mv -f -- "$temp" "$3" 2>&1); then
			rm -f -- "$temp"
			return 1
		fi
		;;
	directory)
		read -r owner mode <"$kept"
		why=$({ [ -d "$3" ] || mkdir -- "$3"; } 2>&1 &&
			chown -- "$owner" "$3" 2>&1 && chmod -- "$mode" "$3" 2>&1 &&
			touch -r "$kept" -- "$3" 2>&1)
		;;
	absent)
		if [ -d "$3" ] && [ ! -L "$3" ]; then
			# Somebody may have put something there since.
			why=$(rmdir -- "$3" 2>&1)
		else
			why=$(rm -f -- "$3" 2>&1)
		fi
		;;
	time)
		[ ! -d "$3" ] || why=$(touch -r "$kept" -- "$3" 2>&1)
		;;
	esac
}

left=
lines=$(sed '1!G;h;$!d' "$dir/manifest")
while read -r kind number path; do
	[ -n "$kind" ] || continue
	if bring_back "$kind" "$number" "$path"; then
		[ "$kind" = time ] || printf 'restored %s\n' "$path"
	else
		printf 'remains %s: %s\n' "$path" "$why"
		left="$kind $number $path
$left"
	fi
done <<REGAIN_LINES
$lines
REGAIN_LINES

failed=0
for number in $(ls "$dir" | sed -n 's/^run\.//p' | sort -rn); do
	if why=$(sh "$dir/run.$number" 2>&1); then
		rm -f "$dir/run.$number"
	else
		printf 'remains %s: %s\n' "$(cat "$dir/run.$number")" "$why"
		failed=1
	fi
done

if [ -n "$left" ] || [ "$failed" -ne 0 ]; then
	printf '%s' "$left" >"$dir/manifest"
	exit 3
fi
rm -rf "$dir"
# The directories above belong to every step; the last one out takes them along.
while dir=${dir%/*} && [ "${dir##*/}" != lib ] && rmdir "$dir" 2>/dev/null; do :; done
exit 0
